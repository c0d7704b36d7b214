/* SPDX-License-Identifier: MIT */
#include "core/ring.h"
#include "core/engine.h"
#include "core/here.h"
#include "core/usdt.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEINIT_NS UINT64_C(2000000000) /* far more than operations that end by themselves take */

/* --- waking --- */

void ring_wake(struct ring *ring)
{
        uint64_t one = 1;
        int error = errno;

        /* Fails only when the counter is full, and then the ring is being woken already. */
        (void)!write(ring->wake_fd, &one, sizeof(one));
        errno = error;
}

void ring_post(struct ring *to, struct ring *from, struct mail *mail)
{
        if (!mailbox_push(&to->mailbox, mail))
                return;
        if (from && from != to)
                from->engine->post(from, to);
        else
                ring_wake(to);
}

void ring_take_mail(struct ring *ring)
{
        struct mail *mail = mailbox_take(&ring->mailbox);

        if (!mail)
                return;
        while (mail) {
                struct mail *next = mail->next;

                mail->on_delivery(mail);
                mail = next;
        }
        /* only this thread writes it: no lock on the bus */
        atomic_store_explicit(&ring->mail_rounds, ring_mail_rounds(ring) + 1, memory_order_relaxed);
}

/* --- life --- */

static void ring_close(struct ring *ring)
{
        ring->engine->close(ring);
        if (ring->wake_fd >= 0)
                close(ring->wake_fd);
        ring->wake_fd = -1;
}

static int ring_open(struct ring *ring, const struct ring_options *options)
{
        ring->wake_fd = eventfd(0, EFD_CLOEXEC);
        return ring->wake_fd < 0 ? -errno : ring->engine->open(ring, options);
}

static const struct engine_verbs *const engines[] = {
        [RING_URING] = &engine_uring,
        [RING_EPOLL] = &engine_epoll,
};

int ring_init(struct ring *ring, const struct ring_options *options)
{
        int r;

        *ring = (struct ring){
                .engine = engines[options ? options->engine : RING_URING],
                .wake_fd = -1,
        };
        ring->now_ns = ring_clock_ns(ring);
        (void)ring_random(
                ring, &ring->jitter, sizeof(ring->jitter)); /* or all rings jitter alike */
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                list_init(&ring->deferred[phase]);
        list_init(&ring->prompt);
        mailbox_init(&ring->mailbox);
        timers_init(&ring->timers, ring->now_ns);
        r = ring_open(ring, options);
        if (r < 0)
                ring_close(ring);
        return r;
}

/* --- the turn --- */

static bool has_deferred(const struct ring *ring)
{
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                if (!list_is_empty(&ring->deferred[phase]))
                        return true;
        return false;
}

/*
 * False: something is due, do not wait. Else timers will end the wait, and from here on senders of mail know that they have to.
 */
static bool prepare_wait(struct ring *ring)
{
        uint64_t next_ns = timers_next_ns(&ring->timers);

        if (has_deferred(ring) || next_ns <= ring->now_ns)
                return false;
        ring->engine->alarm(ring, next_ns);
        return mailbox_sleep(&ring->mailbox);
}

void ring_deliver_prompt(struct ring *ring)
{
        struct list succeeded;
        struct list *link;

        list_init(&succeeded);
        list_splice(&succeeded, &ring->prompt);
        while ((link = list_pop(&succeeded))) {
                struct prompt_op *prompt = CONTAINER_OF(link, struct prompt_op, link);

                ring->ops_in_flight--;
                prompt->on_success(prompt);
        }
}

void ring_defer(struct ring *ring, struct deferred *deferred, enum ring_phase phase)
{
        if (deferred_is_queued(deferred))
                return;
        list_append(&ring->deferred[phase], &deferred->link);
        /* not from within a turn: a foreign loop that drives the ring has to notice it */
        if (!ring->in_turn && ring->is_polled)
                ring_wake(ring);
}

static void run_deferred(struct ring *ring, enum ring_phase phase)
{
        struct list batch;
        struct list *link;

        /* A list of its own: callbacks that are deferred meanwhile wait for the next turn, so that a turn ends. */
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
        r = ring->engine->wait(ring, timeout_ns > 0 && prepare_wait(ring) ? timeout_ns : 0);
        if (r < 0)
                return r;
        ring->in_turn = true;
        here_set_turns(true);
        ring->now_ns = ring_clock_ns(ring);
        ring->stats.turns++;
        QUOIT_PROBE(turn_begin, ring);
        ring->engine->harvest(ring);
        ring_take_mail(ring);
        timers_expire(&ring->timers, ring->now_ns);
        for (unsigned phase = 0; phase < RING_PHASES; phase++)
                run_deferred(ring, phase);
        ring->in_turn = false;
        here_set_turns(false);
        QUOIT_PROBE(turn_end, ring);
        return 0;
}

/* --- clock and chance --- */

uint64_t ring_clock_ns(const struct ring *ring)
{
        return ring->engine->now();
}

uint64_t ring_clock_coarse_ns(const struct ring *ring)
{
        return ring->engine->now_coarse();
}

int ring_random(const struct ring *ring, void *bytes, size_t size)
{
        return ring->engine->random(bytes, size);
}

/* SplitMix64: a counter, mixed. */
uint64_t ring_jitter(struct ring *ring)
{
        uint64_t mixed = ring->jitter += UINT64_C(0x9e3779b97f4a7c15);

        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        return mixed ^ (mixed >> 31);
}

void ring_refuse(struct ring *ring, int fd)
{
        ring->engine->refuse(ring, fd);
}

/* --- in a foreign loop --- */

int ring_poll_fd(struct ring *ring)
{
        int r;

        if (ring->is_polled)
                return ring->poll_fd;
        r = ring->engine->poll(ring);
        if (r < 0)
                return r;
        ring->poll_fd = r;
        ring->is_polled = true;
        ring_wake(ring); /* a turn is due, for what is queued already */
        return r;
}

bool ring_may_poll(struct ring *ring)
{
        assert(ring->is_polled && !ring->in_turn);
        return prepare_wait(ring) && ring->engine->is_idle(ring);
}

/* --- the end --- */

void ring_deinit(struct ring *ring)
{
        uint64_t limit_ns;

        if (ring->wake_fd < 0)
                return;
        limit_ns = ring_clock_ns(ring) + DEINIT_NS;
        assert(!ring->in_turn && !has_deferred(ring) && mailbox_is_empty(&ring->mailbox));
        timers_deinit(&ring->timers);
        ring->closing = true;
        ring_wake(ring); /* the next turn delivers prompt operations */
        ring->engine->end(ring);
        while (ring->ops_in_flight > 0) {
                /*
                 * io_uring was forbidden while it ran, for example by a new filter: the kernel ends the operations when the
                 * ring is closed.
                 */
                if (ring->engine->wait(ring, DEINIT_NS) < 0)
                        break;
                ring->engine->harvest(ring);
                assert(ring_clock_ns(ring) < limit_ns); /* an operation was left in flight */
        }
        ring_close(ring);
}
