/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/list.h"
#include "core/mailbox.h"
#include "core/op.h"
#include "core/refusal.h"
#include "core/timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_verbs;
struct epoll;
struct uring;

/*
 * The proactor: an engine (core/engine.h) and the loop around it, for one thread. Shared-nothing: only its own thread touches
 * the objects of a ring; other threads may only call ring_post() and ring_wake().
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

/* What a ring runs on. Rings that post to each other have the same engine. */
enum ring_engine {
        RING_URING,
        RING_EPOLL, /* where there is no io_uring; it has no queues and ignores their sizes */
};

struct ring_options {
        enum ring_engine engine;

        /* 0: RING_SQ_ENTRIES. More operations in a turn cost one more submit, nothing is lost. */
        unsigned sq_entries;

        /* 0: RING_CQ_PER_SQ × sq_entries. The kernel keeps further completions in slower memory. */
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
        uint64_t jitter; /* state of ring_jitter(), seeded at random */
        struct timers timers; /* timer_start(&ring->timers, …) */
        struct list deferred[RING_PHASES];
        struct list prompt; /* prompt operations whose result is not delivered yet */
        struct mailbox mailbox;
        atomic_uint mail_rounds; /* how often it has taken and delivered mail */
        struct ring_stats stats;
        uint64_t ops_in_flight;
        struct op
                post_op; /* for posts to us, in flight on the senders' rings: it outlives our own engine */
        int wake_fd; /* an eventfd; -1: there is no ring */
        enum refusal_call refused_call; /* the call that failed last */
        int poll_fd; /* the descriptor for a foreign loop */
        bool is_polled; /* by a foreign loop, which has asked for the descriptor */
        bool in_turn;
        bool closing;
};

/*
 * Must run on the thread that will turn the ring; the ring stays bound to it (SINGLE_ISSUER). After a negative errno
 * @ring->refused_call is the call that failed; core/refusal.h makes an error text of it. @ring must not move afterwards.
 */
int ring_init(struct ring *ring, const struct ring_options *options);

/* The memory that the kernel allocates for a ring of @sq_entries; some kernels count it as locked memory. */
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
 * A foreign loop turns the ring when the ring's descriptor is readable:
 *      fd = ring_poll_fd(ring);
 *      for (;;) {
 *              do
 *                      ring_turn(ring, 0);
 *              while (!ring_may_poll(ring));
 *              poll(fd);
 *      }
 * To let the loop do other work in between, call ring_wake() instead of turning until there is nothing to do.
 */

/* The descriptor; it belongs to the ring. From the first call on no turn may wait. -ENOMEM and similar. */
int ring_poll_fd(struct ring *ring);

/*
 * True: nothing is due, and the descriptor becomes readable when something is, timers included. At times it becomes readable
 * for something that a turn has done already.
 */
bool ring_may_poll(struct ring *ring);

/* CLOCK_MONOTONIC as it was when this turn began. */
static inline uint64_t ring_now_ns(const struct ring *ring)
{
        return ring->now_ns;
}

/* The time now, within a turn or outside. It costs more. Any thread. */
uint64_t ring_clock_ns(const struct ring *ring);

/* The time now, up to a few milliseconds late, never early. It costs a tenth of ring_clock_ns(). Any thread. */
uint64_t ring_clock_coarse_ns(const struct ring *ring);

/* Fills @bytes with secure random bytes. Any thread. 0 or a negative errno: the system has none yet. */
int ring_random(const struct ring *ring, void *bytes, size_t size);

/* A random number for spreading times. It costs no system call and is not secure. On the ring's thread. */
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

/* Closes @fd, an accepted connection that is not wanted, of a listener of this ring or of one that posts to it. */
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

/* Cancels it; no-op when it is not deferred. Needed before its memory is freed. */
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

/* Whether @ring has not taken all of its mail yet. Any thread: true of a moment that may be over. */
static inline bool ring_has_mail(const struct ring *ring)
{
        return !mailbox_is_empty(&ring->mailbox);
}

/* Changes when @ring has delivered the mail that it took. Any thread. */
static inline unsigned ring_mail_rounds(const struct ring *ring)
{
        return atomic_load_explicit(&ring->mail_rounds, memory_order_relaxed);
}

/* Delivers the mails that are left, once nobody posts any more and there will be no further turn. */
void ring_take_mail(struct ring *ring);

/* Makes the current or the next wait of @ring end. Any thread, and async-signal-safe. */
void ring_wake(struct ring *ring);
