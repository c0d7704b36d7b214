/* SPDX-License-Identifier: MIT */
#include "core/engine/uring.h"
#include "core/buffers.h"
#include "core/clock.h"
#include "core/usdt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Transient errors of submit and wait: a signal, a full CQ, no memory for a moment. */
static bool is_transient(int error)
{
        return error == -EINTR || error == -EBUSY || error == -EAGAIN || error == -ETIME;
}

/* A bit of user_data in addition to the op's address: a prompt operation. */
#define TAG_PROMPT UINT64_C(1)

static struct op *op_of_cqe(const struct io_uring_cqe *cqe)
{
        return (struct op *)(uintptr_t)(cqe->user_data & ~TAG_PROMPT);
}

struct io_uring_sqe *uring_sqe(struct ring *ring, struct op *op)
{
        struct io_uring *io = &ring->uring->io;
        struct io_uring_sqe *sqe;

        while (!(sqe = io_uring_get_sqe(io))) {
                int r = io_uring_submit(io);

                /* Anything else is a bug of ours, for example a ring used from another thread. */
                assert(r >= 0 || is_transient(r));
                ring->stats.submits_extra++;
        }
        io_uring_sqe_set_data(sqe, op);
        ring->ops_in_flight++;
        return sqe;
}

struct io_uring_sqe *uring_sqe_prompt(struct ring *ring, struct prompt_op *prompt)
{
        struct io_uring_sqe *sqe = uring_sqe(ring, &prompt->op);

        sqe->user_data |= TAG_PROMPT;
        list_append(&ring->prompt, &prompt->link);
        return sqe;
}

/* --- life --- */

static int queues_open(struct io_uring *io, const struct ring_options *options)
{
        unsigned sq_entries =
                options && options->sq_entries ? options->sq_entries : RING_SQ_ENTRIES;
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                         IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                         IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                .cq_entries = options && options->cq_entries ? options->cq_entries
                                                             : RING_CQ_PER_SQ * sq_entries,
        };
        int r = io_uring_queue_init_params(sq_entries, io, &params);

        if (r < 0)
                return r;
        /* Saves a descriptor look-up a turn. It is optional: a thread can have only sixteen of these. */
        (void)io_uring_register_ring_fd(io);
        return 0;
}

static int uring_open(struct ring *ring, const struct ring_options *options)
{
        struct uring *uring = calloc(1, sizeof(*uring));
        int r;

        if (!uring)
                return -ENOMEM;
        uring->ring = ring;
        uring_wake_init(uring);
        uring_alarm_init(uring);
        r = queues_open(&uring->io, options);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_SETUP;
                free(uring);
                return r;
        }
        ring->uring = uring;
        /* Setting up a ring can be allowed while using it is forbidden. */
        r = io_uring_get_events(&uring->io);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_ENTER;
                return r;
        }
        uring_wake_arm(ring);
        return 0;
}

static void uring_end(struct ring *ring)
{
        uring_alarm_end(ring);
        uring_wake_end(ring);
}

static void uring_close(struct ring *ring)
{
        if (!ring->uring)
                return;
        io_uring_queue_exit(&ring->uring->io);
        free(ring->uring);
        ring->uring = NULL;
}

/* --- the turn --- */

static int submit_and_wait(struct io_uring *io, uint64_t timeout_ns)
{
        struct __kernel_timespec timeout = {
                .tv_sec = (int64_t)(timeout_ns / NS_PER_S),
                .tv_nsec = (long long)(timeout_ns % NS_PER_S),
        };
        struct io_uring_cqe *cqe;

        if (timeout_ns == 0)
                return io_uring_submit_and_get_events(io);
        return io_uring_submit_and_wait_timeout(
                io, &cqe, 1, timeout_ns == RING_FOREVER ? NULL : &timeout, NULL);
}

/*
 * Since Linux 6.13 one io_uring_enter completes only some tens of operations that are due, in their order. Where thousands of peers
 * send at once, most of their receives find no buffer: the others would be behind them, for many turns. So these are completed now;
 * each takes less than a microsecond.
 */
static void complete_due(struct io_uring *io)
{
        unsigned ready = io_uring_cq_ready(io), before;

        do {
                before = ready;
                (void)io_uring_get_events(io); /* what fails here fails in the next turn too */
                ready = io_uring_cq_ready(io);
        } while (ready > before && ready < io->cq.ring_entries);
}

static int uring_wait(struct ring *ring, uint64_t timeout_ns)
{
        struct uring *uring = ring->uring;
        int r;

        if (ring->is_polled)
                uring_poll_drain(ring);
        r = submit_and_wait(&uring->io, uring->unsettled ? 0 : timeout_ns);
        if (uring->exhausted)
                complete_due(&uring->io);
        uring->exhausted = false;
        if (r >= 0 || is_transient(r))
                return 0;
        ring->refused_call = REFUSAL_CALL_ENTER;
        return r;
}

/* A prompt operation that has a completion has failed. */
static void prompt_decide(const struct io_uring_cqe *cqe)
{
        if (cqe->user_data & TAG_PROMPT)
                list_remove(&CONTAINER_OF(op_of_cqe(cqe), struct prompt_op, op)->link);
}

/*
 * The submitted prompt operations are over: those that failed have their CQE by now, all others have succeeded. If the kernel
 * took only a part of the queue, or the CQ is full, this is not known yet: then the next turn decides, and it must not wait.
 */
static void settle_prompt(struct ring *ring)
{
        struct uring *uring = ring->uring;
        struct io_uring_cqe *cqe;
        unsigned head;

        uring->unsettled = false;
        if (list_is_empty(&ring->prompt))
                return;
        if (io_uring_sq_ready(&uring->io) > 0 || io_uring_cq_has_overflow(&uring->io)) {
                uring->unsettled = true;
                return;
        }
        io_uring_for_each_cqe (&uring->io, head, cqe)
                prompt_decide(cqe);
        ring_deliver_prompt(ring);
}

static struct completion completion_of(const struct io_uring_cqe *cqe, const struct op *op)
{
        struct completion completion = {
                .result = cqe->res,
                .more = cqe->flags & IORING_CQE_F_MORE,
        };

        if (cqe->flags & IORING_CQE_F_BUFFER)
                completion.bytes = buffers_borrow(CONTAINER_OF(op, struct receive_op, op)->buffers,
                        cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        return completion;
}

static void uring_harvest(struct ring *ring)
{
        struct uring *uring = ring->uring;
        struct io_uring *io = &uring->io;
        /* Only those that are here now: completions that callbacks cause are for the next turn. */
        unsigned ready;

        settle_prompt(ring);
        ready = io_uring_cq_ready(io);
        if (io_uring_cq_has_overflow(io))
                ring->stats.overflows++;
        ring->stats.completions += ready;
        QUOIT_PROBE(completions, ring, ready);
        while (ready-- > 0) {
                struct io_uring_cqe *cqe = NULL;
                struct completion completion;
                struct op *op;

                (void)io_uring_peek_cqe(io, &cqe);
                if (uring->unsettled) /* otherwise all results are known */
                        prompt_decide(cqe);
                op = op_of_cqe(cqe);
                completion = completion_of(cqe, op);
                uring->exhausted |= completion.result == -ENOBUFS;
                io_uring_cqe_seen(io, cqe);
                ring_complete(ring, op, completion);
        }
}

/* The kernel has left work for the next io_uring_enter. It told the polled descriptor of the first piece only. */
static bool has_due_work(const struct io_uring *io)
{
        return IO_URING_READ_ONCE(*io->sq.kflags) & IORING_SQ_TASKRUN;
}

static bool uring_is_idle(const struct ring *ring)
{
        const struct uring *uring = ring->uring;

        return !uring->unsettled && io_uring_sq_ready(&uring->io) == 0 &&
               io_uring_cq_ready(&uring->io) == 0 && !has_due_work(&uring->io);
}

const struct engine_verbs engine_uring = {
        .open = uring_open,
        .end = uring_end,
        .close = uring_close,
        .alarm = uring_alarm,
        .wait = uring_wait,
        .harvest = uring_harvest,
        .now = system_now,
        .now_coarse = system_now_coarse,
        .random = system_random,
        .receive = uring_receive,
        .send = uring_send,
        .send_prompt = uring_send_prompt,
        .accept = uring_accept,
        .refuse = system_refuse,
        .connect = uring_connect,
        .await = uring_await,
        .cancel = uring_cancel,
        .cancel_all = uring_cancel_all,
        .close_file = uring_close_file,
        .post = uring_post,
        .poll = uring_poll,
        .is_idle = uring_is_idle,
        .buffers_open = uring_buffers_open,
        .buffers_close = uring_buffers_close,
        .buffers_give = uring_buffers_give,
};
