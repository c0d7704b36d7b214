/* SPDX-License-Identifier: MIT */
#include "core/ring.h"
#include "core/clock.h"
#include "core/sqe.h"
#include "core/usdt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEINIT_NS UINT64_C(2000000000) /* far more than what ends by itself takes */

#define SQE_BYTES ((size_t)64)
#define CQE_BYTES ((size_t)16)
#define RINGS_HEADER_BYTES ((size_t)320) /* struct io_rings in the kernel */

/* What submit and wait give for reasons that pass by themselves: a signal, a full CQ, no memory
 * for a moment. */
static bool is_transient(int error)
{
        return error == -EINTR || error == -EBUSY || error == -EAGAIN || error == -ETIME;
}

/* In user_data, beside the op's address: it is a prompt one. */
#define TAG_PROMPT UINT64_C(1)

static struct op *op_of_cqe(const struct io_uring_cqe *cqe)
{
        return (struct op *)(uintptr_t)(cqe->user_data & ~TAG_PROMPT);
}

struct io_uring_sqe *ring_sqe(struct ring *ring, struct op *op)
{
        struct io_uring_sqe *sqe;

        while (!(sqe = io_uring_get_sqe(ring->uring))) {
                int r = io_uring_submit(ring->uring);

                /* Anything else is our own mistake, such as a ring used from another thread. */
                assert(r >= 0 || is_transient(r));
                ring->stats.submits_extra++;
        }
        io_uring_sqe_set_data(sqe, op);
        ring->ops_in_flight++;
        return sqe;
}

struct io_uring_sqe *ring_sqe_prompt(struct ring *ring, struct prompt_op *prompt)
{
        struct io_uring_sqe *sqe = ring_sqe(ring, &prompt->op);

        sqe->user_data |= TAG_PROMPT;
        list_append(&ring->prompt, &prompt->link);
        return sqe;
}

/* --- waking --- */

static void wake_arm(struct ring *ring)
{
        struct io_uring_sqe *sqe = ring_sqe(ring, &ring->wake_op);

        io_uring_prep_read(sqe, ring->wake_fd, &ring->wake_count, sizeof(ring->wake_count), 0);
}

static void on_wake(struct op *op, int res, uint32_t flags)
{
        struct ring *ring = CONTAINER_OF(op, struct ring, wake_op);

        (void)res;
        (void)flags;
        /* The wake did its work by ending the wait; what it was for is in the mailbox or the
         * application's. */
        if (!ring->closing && !ring->is_polled)
                wake_arm(ring);
}

static void on_mail_came(struct op *op, int res, uint32_t flags)
{
        struct ring *ring = CONTAINER_OF(op, struct ring, mail_op);

        (void)res;
        (void)flags;
        /* Another ring's operation put this completion here: it was never counted as ours in
         * flight. */
        ring->ops_in_flight++;
}

static void on_mail_posted(struct op *op, int res, uint32_t flags)
{
        (void)flags;
        /* On the sender's ring. MSG_RING may fail for want of memory: the mail must not wait for
         * luck. */
        if (res < 0)
                ring_wake(CONTAINER_OF(op, struct ring, post_op));
}

void ring_wake(struct ring *ring)
{
        uint64_t one = 1;
        int error = errno;

        /* Can only fail when the counter is full, and then the ring is being woken already. */
        (void)!write(ring->wake_fd, &one, sizeof(one));
        errno = error;
}

void ring_post(struct ring *to, struct ring *from, struct mail *mail)
{
        struct io_uring_sqe *sqe;

        if (!mailbox_push(&to->mailbox, mail))
                return;
        if (!from || from == to) {
                ring_wake(to);
                return;
        }
        sqe = ring_sqe(from, &to->post_op);
        io_uring_prep_msg_ring(sqe, to->fd, 0, (uintptr_t)&to->mail_op, 0);
}

void ring_take_mail(struct ring *ring)
{
        struct mail *mail = mailbox_take(&ring->mailbox);

        while (mail) {
                struct mail *next = mail->next;

                mail->on_delivery(mail);
                mail = next;
        }
}

/* --- life --- */

size_t ring_kernel_bytes(unsigned sq_entries)
{
        return whole_pages(sq_entries * SQE_BYTES) +
               whole_pages(RINGS_HEADER_BYTES + sq_entries * RING_CQ_PER_SQ * CQE_BYTES);
}

static int uring_open(struct io_uring *uring, const struct ring_options *options)
{
        unsigned sq_entries =
                options && options->sq_entries ? options->sq_entries : RING_SQ_ENTRIES;
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                         IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                .cq_entries = options && options->cq_entries ? options->cq_entries
                                                             : RING_CQ_PER_SQ * sq_entries,
        };
        int r = io_uring_queue_init_params(sq_entries, uring, &params);

        if (r < 0)
                return r;
        /* Spares a descriptor look-up a turn; goes on without it, a thread has sixteen of these. */
        (void)io_uring_register_ring_fd(uring);
        return 0;
}

static void ring_close(struct ring *ring)
{
        if (ring->uring) {
                io_uring_queue_exit(ring->uring);
                free(ring->uring);
        }
        if (ring->wake_fd >= 0)
                close(ring->wake_fd);
        ring->uring = NULL;
        ring->fd = -1;
        ring->wake_fd = -1;
}

static int ring_open(struct ring *ring, const struct ring_options *options)
{
        struct io_uring *uring = malloc(sizeof(*uring));
        int r;

        if (!uring)
                return -ENOMEM;
        r = uring_open(uring, options);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_SETUP;
                free(uring);
                return r;
        }
        ring->uring = uring;
        ring->fd = uring->ring_fd;
        /* Blocking: io_uring gives EAGAIN at once for a non-blocking descriptor, rather than to
         * wait for it. */
        ring->wake_fd = eventfd(0, EFD_CLOEXEC);
        return ring->wake_fd < 0 ? -errno : 0;
}

/* Who may set a ring up may yet be forbidden to use it. */
static int ring_try(struct ring *ring)
{
        int r = io_uring_get_events(ring->uring);

        if (r < 0)
                ring->refused_call = REFUSAL_CALL_ENTER;
        return r < 0 ? r : 0;
}

int ring_init(struct ring *ring, const struct ring_options *options)
{
        int r;

        *ring = (struct ring){
                .now_ns = clock_now_ns(),
                .wake_op.on_complete = on_wake,
                .mail_op.on_complete = on_mail_came,
                .post_op.on_complete = on_mail_posted,
                .fd = -1,
                .wake_fd = -1,
        };
        ring_alarm_init(ring);
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                list_init(&ring->deferred[phase]);
        list_init(&ring->prompt);
        mailbox_init(&ring->mailbox);
        timers_init(&ring->timers, ring->now_ns);
        r = ring_open(ring, options);
        if (r == 0)
                r = ring_try(ring);
        if (r < 0) {
                ring_close(ring);
                return r;
        }
        wake_arm(ring);
        return 0;
}

/* --- the turn --- */

static bool has_deferred(const struct ring *ring)
{
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                if (!list_is_empty(&ring->deferred[phase]))
                        return true;
        return false;
}

bool ring_may_wait(struct ring *ring)
{
        uint64_t next_ns = timers_next_ns(&ring->timers);

        if (ring->unsettled || has_deferred(ring) || next_ns <= ring->now_ns)
                return false;
        ring_alarm_keep(ring, next_ns);
        return mailbox_sleep(&ring->mailbox);
}

static int submit_and_wait(struct ring *ring, uint64_t timeout_ns)
{
        struct __kernel_timespec timeout = {
                .tv_sec = (int64_t)(timeout_ns / NS_PER_S),
                .tv_nsec = (long long)(timeout_ns % NS_PER_S),
        };
        struct io_uring_cqe *cqe;
        int r;

        if (timeout_ns == 0)
                r = io_uring_submit_and_get_events(ring->uring);
        else
                r = io_uring_submit_and_wait_timeout(
                        ring->uring, &cqe, 1, timeout_ns == RING_FOREVER ? NULL : &timeout, NULL);
        return r < 0 && !is_transient(r) ? r : 0;
}

/* A prompt operation that has a completion has failed. */
static void prompt_decide(const struct io_uring_cqe *cqe)
{
        if (cqe->user_data & TAG_PROMPT)
                list_remove(&CONTAINER_OF(op_of_cqe(cqe), struct prompt_op, op)->link);
}

/*
 * The prompt operations that were submitted are decided: what failed has its CQE by now, all others
 * have succeeded. Where the kernel took only a part, or the CQ is full, that cannot be told: then the next turn does, which
 * must come without waiting for something else.
 */
static void settle_prompt(struct ring *ring)
{
        struct list succeeded;
        struct io_uring_cqe *cqe;
        struct list *link;
        unsigned head;

        ring->unsettled =
                !list_is_empty(&ring->prompt) &&
                (io_uring_sq_ready(ring->uring) > 0 || io_uring_cq_has_overflow(ring->uring));
        if (ring->unsettled)
                return;
        io_uring_for_each_cqe (ring->uring, head, cqe)
                prompt_decide(cqe);
        list_init(&succeeded);
        list_splice(&succeeded, &ring->prompt);
        while ((link = list_pop(&succeeded))) {
                struct prompt_op *prompt = CONTAINER_OF(link, struct prompt_op, link);

                ring->ops_in_flight--;
                prompt->on_success(prompt);
        }
}

static void harvest(struct ring *ring)
{
        /* Bounded by what is there now: completions that callbacks provoke are the next turn's. */
        unsigned ready;

        settle_prompt(ring);
        ready = io_uring_cq_ready(ring->uring);
        if (io_uring_cq_has_overflow(ring->uring))
                ring->stats.overflows++;
        ring->stats.completions += ready;
        QUOIT_PROBE(completions, ring, ready);
        while (ready-- > 0) {
                struct io_uring_cqe *cqe = NULL;
                struct op *op;
                uint32_t flags;
                int res;

                (void)io_uring_peek_cqe(ring->uring, &cqe);
                prompt_decide(cqe);
                op = op_of_cqe(cqe);
                res = cqe->res;
                flags = cqe->flags;
                io_uring_cqe_seen(ring->uring, cqe);
                if (!(flags & IORING_CQE_F_MORE))
                        ring->ops_in_flight--;
                op->on_complete(op, res, flags);
        }
}

void ring_defer(struct ring *ring, struct deferred *deferred, enum ring_phase phase)
{
        if (deferred_is_queued(deferred))
                return;
        list_append(&ring->deferred[phase], &deferred->link);
        /* from without, by whoever drives the ring from a loop of his own: it is to hear that there is something to do */
        if (!ring->in_turn && ring->is_polled)
                ring_wake(ring);
}

static void run_deferred(struct ring *ring, enum ring_phase phase)
{
        struct list batch;
        struct list *link;

        /* A batch of its own: what is deferred meanwhile waits for the next turn, so that a turn
         * ends. */
        list_init(&batch);
        list_splice(&batch, &ring->deferred[phase]);
        while ((link = list_pop(&batch))) {
                struct deferred *deferred = CONTAINER_OF(link, struct deferred, link);

                deferred->on_turn_end(deferred);
        }
}

int ring_turn(struct ring *ring, uint64_t timeout_ns)
{
        int r;

        assert(!ring->in_turn && (timeout_ns == 0 || !ring->is_polled));
        ring_poll_drain(ring);
        r = submit_and_wait(ring, timeout_ns > 0 && ring_may_wait(ring) ? timeout_ns : 0);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_ENTER;
                return r;
        }
        ring->in_turn = true;
        ring->now_ns = clock_now_ns();
        ring->stats.turns++;
        QUOIT_PROBE(turn_begin, ring);
        harvest(ring);
        ring_take_mail(ring);
        timers_expire(&ring->timers, ring->now_ns);
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                run_deferred(ring, phase);
        ring->in_turn = false;
        QUOIT_PROBE(turn_end, ring);
        return 0;
}

void ring_deinit(struct ring *ring)
{
        uint64_t limit_ns = clock_now_ns() + DEINIT_NS;

        if (!ring->uring)
                return;
        assert(!ring->in_turn && !has_deferred(ring) && mailbox_is_empty(&ring->mailbox));
        timers_deinit(&ring->timers);
        ring->closing = true;
        ring_wake(ring);
        ring_alarm_end(ring);
        /* The read that waits for wakes, and perhaps wakes of other rings: these end by
         * themselves. */
        while (ring->ops_in_flight > 0) {
                /* Forbidden from some time on, as by a filter that came late: the kernel ends them when the ring is closed. */
                if (submit_and_wait(ring, DEINIT_NS) < 0)
                        break;
                harvest(ring);
                assert(clock_now_ns() < limit_ns); /* somebody left an operation in flight */
        }
        ring_close(ring);
}
