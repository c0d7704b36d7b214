/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/list.h"
#include "core/mailbox.h"
#include "core/op.h"
#include "core/refusal.h"
#include "core/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_verbs;
struct epoll;
struct uring;

/*
 * The proactor: an engine (core/engine.h) and the loop around it, for one thread. Shared-nothing: whatever is on
 * a ring is touched by its thread alone; other threads may only ring_post() and ring_wake().
 *
 * One turn (ring_turn) is, in this order:
 *   1. start what the last turn queued and wait, on io_uring in ONE io_uring_enter; no wait when work is
 *      deferred or mail is here
 *   2. the clock is read: ring_now_ns() stands still for the rest of the turn
 *   3. completions: each prompt operation's on_success, then each op->on_complete
 *   4. mails: each mail->on_delivery
 *   5. timers that have expired: each timer->on_expire
 *   6. deferred, RING_DISPATCH: here ready handlers run
 *   7. deferred, RING_FLUSH: here connections that have output queue their one send
 * Callbacks never nest: the completions of operations that a callback starts come in a later turn.
 */

/* A callback that runs once at the end of a turn. Embedded; in at most one phase at a time. */
struct deferred {
        struct list link;
        void (*on_turn_end)(struct deferred *deferred);
};

enum ring_phase {
        RING_DISPATCH, /* handlers */
        RING_FLUSH,    /* output */
        RING_PHASES,
};

enum { RING_SQ_ENTRIES = 1024, RING_CQ_PER_SQ = 4 };

/* What a ring runs on. Rings that post to each other run on the same. */
enum ring_engine {
        RING_URING,
        RING_EPOLL, /* for where there is no io_uring: no queues, no use for their sizes */
};

struct ring_options {
        enum ring_engine engine;

        /* 0: RING_SQ_ENTRIES. What is queued beyond that in a turn costs one more submit, nothing is lost. */
        unsigned sq_entries;

        /* 0: RING_CQ_PER_SQ × sq_entries. The kernel keeps what does not fit in slower memory. */
        unsigned cq_entries;
};

struct ring_stats {
        uint64_t turns; /* on io_uring each is one io_uring_enter */
        uint64_t submits_extra; /* io_uring_enter calls beyond one a turn: the SQ was full */
        uint64_t completions;
        uint64_t overflows; /* turns that found the CQ overflowed: cq_entries is too small */
};

struct ring {
        const struct engine_verbs *engine;
        union { /* its state */
                struct uring *uring;
                struct epoll *epoll;
        };
        uint64_t now_ns;
        uint64_t jitter; /* where its numbers are; their beginning was drawn */
        struct timers timers; /* timer_start(&ring->timers, …) */
        struct list deferred[RING_PHASES];
        struct list
                prompt; /* operations of this kind that are undecided, or whose success is untold */
        struct mailbox mailbox;
        struct ring_stats stats;
        uint64_t ops_in_flight;
        struct op
                post_op; /* of posts to us, in flight on the senders' rings: it outlives our own engine */
        int wake_fd; /* an eventfd; -1: there is no ring */
        enum refusal_call refused_call; /* what the last error came from */
        int poll_fd; /* where it is polled */
        bool is_polled; /* by a foreign loop, which has asked for the descriptor */
        bool in_turn;
        bool closing;
};

/* Must run on the thread that will turn the ring, which it stays bound to (SINGLE_ISSUER).
 * Negative errno: @ring->refused_call says which call it is of, core/refusal.h words it. @ring must not move afterwards. */
int ring_init(struct ring *ring, const struct ring_options *options);

/* What the kernel allocates for a ring of @sq_entries, and counts as locked memory if it does that with rings at all. */
size_t ring_kernel_bytes(unsigned sq_entries);

/* Asserts that nothing is in flight, queued or running: sockets and listeners closed, timers
 * cancelled, mails delivered. Nobody may post or wake any more. On the ring's thread. */
void ring_deinit(struct ring *ring);

#define RING_FOREVER UINT64_MAX

/* One turn. Waits at most @timeout_ns (0: not at all) for the first completion, mail, wake or
 * timer. 0 or a negative errno that is fatal to the ring. A signal ends the wait early and is no
 * error. */
int ring_turn(struct ring *ring, uint64_t timeout_ns);

/*
 * A foreign loop turns the ring when a descriptor of its is readable:
 *      fd = ring_poll_fd(ring);
 *      for (;;) {
 *              do
 *                      ring_turn(ring, 0);
 *              while (!ring_may_poll(ring));
 *              poll(fd);
 *      }
 * or, to let others have their turn in between, ring_wake() instead of turning until there is nothing to do.
 */

/* The descriptor, the ring's until ring_deinit. From the first call on no turn may wait. -ENOMEM and its kin. */
int ring_poll_fd(struct ring *ring);

/* True: nothing is due, and the descriptor will tell when something is, timers included. Now and then it tells of
 * what the turn has seen to already. */
bool ring_may_poll(struct ring *ring);

/* CLOCK_MONOTONIC as it was when this turn began. */
static inline uint64_t ring_now_ns(const struct ring *ring)
{
        return ring->now_ns;
}

/* The same as it is now, within the turn or outside of it. It costs more. Any thread. */
uint64_t ring_clock_ns(const struct ring *ring);

/* The same to a few milliseconds, and never ahead of the true time: it costs a tenth of ring_clock_ns(). Any thread. */
uint64_t ring_clock_coarse_ns(const struct ring *ring);

/* Fills @bytes with what nobody can guess. Any thread. 0 or a negative errno: the system has none yet. */
int ring_random(const struct ring *ring, void *bytes, size_t size);

/* A number for what is not to happen to all at once: each differs, and costs no call, but might be guessed. On the ring's thread. */
uint64_t ring_jitter(struct ring *ring);

/* The number of this turn, from 1 on. */
static inline uint64_t ring_turns(const struct ring *ring)
{
        return ring->stats.turns;
}

/* How many io_uring_enter calls there were, on io_uring. */
static inline uint64_t ring_enters(const struct ring *ring)
{
        return ring->stats.turns + ring->stats.submits_extra;
}

/* Closes @fd, which a listener of this ring or of one that posts to it has accepted, and nobody wants. */
void ring_refuse(struct ring *ring, int fd);

static inline void deferred_init(
        struct deferred *deferred, void (*on_turn_end)(struct deferred *deferred))
{
        list_init(&deferred->link);
        deferred->on_turn_end = on_turn_end;
}

/* Runs @deferred once in @phase: of this turn, when that phase has not begun, else of the next
 * one (which then does not wait). First come, first run. No-op when it is deferred already. It
 * may free itself and defer others or itself. */
void ring_defer(struct ring *ring, struct deferred *deferred, enum ring_phase phase);

/* Takes it back; harmless when it is not deferred. Needed before its memory goes. */
static inline void ring_undefer(struct deferred *deferred)
{
        list_remove(&deferred->link);
}

static inline bool deferred_is_queued(const struct deferred *deferred)
{
        return !list_is_empty(&deferred->link);
}

/*
 * Delivers @mail on @to's thread, in order for each sender. Any thread, but no signal handler
 * (ring_wake is for those); @from is the ring of the calling thread, or NULL when it has none (a
 * worker, an application's thread). Wakes @to only when it may sleep: between rings on io_uring with a MSG_RING
 * that goes along with the sender's next submit, else by an eventfd. @to must live until the mail
 * was delivered; the memory of rings that post to each other until all of them are deinitialised (a
 * sender's own completion comes after the delivery).
 */
void ring_post(struct ring *to, struct ring *from, struct mail *mail);

/* Delivers what is in the mailbox, once nobody posts any more and no turn is to come. */
void ring_take_mail(struct ring *ring);

/* Makes the current or the next wait of @ring end. Any thread, and async-signal-safe. */
void ring_wake(struct ring *ring);
