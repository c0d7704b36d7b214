/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside core/ only: what a ring's engine does for it, and the little that it gets back. An engine
 * talks to the kernel; a ring has one for life, chosen at ring_init. Everything that is the same
 * for all of them (the order of a turn, timers, mail, what a socket does when) is not in here.
 *
 * All verbs run on the ring's thread, and none calls back: they only start operations, whose
 * completions come from `harvest` in a later turn. None fails: what the kernel says no to is the
 * operation's result.
 */

#include "core/op.h"
#include "core/ring.h"

#include <stddef.h>
#include <sys/socket.h>

/* A descriptor that operations are started on: in sockets, listeners and connectors. */
struct engine_file {
        int fd;

        /* The rest is the epoll engine's; io_uring has it in the kernel. */
        bool watched : 1; /* epoll knows it, */
        bool watched_sending : 1; /* and tells of room to send as well */
        bool readable : 1; /* there may be something */
        bool writable : 1; /* there may be room */
        bool reads_to_the_end : 1; /* a short read does not mean that there is no more */
        bool once : 1; /* `in` is for one buffer */
        bool accepts : 1; /* `in` is an accept, */
        bool ending : 1; /* which was cancelled */
        bool connects : 1; /* `out` is a connect */
        struct op *in; /* a receive or an accept that is in flight */
        struct op *out; /* a send or a connect that waits */
        const struct msghdr *message; /* what is sent */
        struct list due; /* to be looked at in the next harvest */
};

static inline void engine_file_init(struct engine_file *file, int fd)
{
        *file = (struct engine_file){ .fd = fd, .writable = true };
        list_init(&file->due);
}

struct engine_verbs {
        /* --- life --- */

        /* 0 or a negative errno, with the call in @ring->refused_call. @ring->wake_fd is there: a write to it ends the wait. */
        int (*open)(struct ring *ring, const struct ring_options *options);
        void (*end)(
                struct ring *ring); /* the engine's own operations end, if it has some in flight */
        void (*close)(
                struct ring *ring); /* whatever is left of it; also after an open that failed */

        /* --- a turn --- */

        /* A turn is to come at @time_ns at the latest, if the ring waits. TIMER_NEVER: none is needed. */
        void (*alarm)(struct ring *ring, uint64_t time_ns);

        /* Starts what was queued, and waits for a completion, a wake or the alarm, at most for @timeout_ns. 0 or a
         * negative errno that is fatal to the ring. */
        int (*wait)(struct ring *ring, uint64_t timeout_ns);

        /* Tells of prompt operations that have succeeded, then of completions: those that are there when it begins. */
        void (*harvest)(struct ring *ring);

        /* --- clock and chance --- */

        /* Any thread. */
        uint64_t (*now)(void); /* CLOCK_MONOTONIC, in ns, or what plays it */
        uint64_t (*now_coarse)(void); /* see ring_clock_coarse_ns() */
        int (*random)(void *bytes, size_t size); /* see ring_random() */

        /* --- operations --- */

        /* Takes what comes, as it comes, or @once. Results: bytes; 0, the peer sends no more; -ENOBUFS: no buffer of
         * @op->buffers is free. */
        void (*receive)(
                struct ring *ring, struct engine_file *file, struct receive_op *op, bool once);

        /* Sends some of @message at least, all of it mostly. */
        void (*send)(struct ring *ring, struct engine_file *file, struct op *op,
                const struct msghdr *message);

        /* The same, of what can go at once. All of it: success. */
        void (*send_prompt)(struct ring *ring, struct engine_file *file, struct prompt_op *op,
                const struct msghdr *message);

        /* Each connection is a result, its descriptor close-on-exec; @op->peer is who came. */
        void (*accept)(struct ring *ring, struct engine_file *file, struct accept_op *op);

        /* Closes a connection that was accepted and is not wanted, at once. */
        void (*refuse)(struct ring *ring, int fd);

        void (*connect)(struct ring *ring, struct engine_file *file, struct op *op,
                const struct sockaddr *address, socklen_t address_bytes);

        /* Ends @target, an operation on @file, with -ECANCELED unless it ends otherwise meanwhile; @op completes as well. */
        void (*cancel)(
                struct ring *ring, struct engine_file *file, struct op *op, struct op *target);
        void (*cancel_all)(
                struct ring *ring, struct engine_file *file, struct op *op); /* on @file */

        /* Nothing is in flight on @file. */
        void (*close_file)(struct ring *ring, struct engine_file *file, struct op *op);

        /* --- between rings --- */

        /* Makes a turn of @to, whose thread is another, for mail that was pushed. */
        void (*post)(struct ring *from, struct ring *to);

        /* --- in a foreign loop --- */

        /* A descriptor that gets readable when a turn is due; the ring never waits itself from then on. Once. */
        int (*poll)(struct ring *ring);
        bool (*is_idle)(
                const struct ring *ring); /* nothing is to be started, nothing to be harvested */

        /* --- lent buffers --- */

        int (*buffers_open)(struct buffers *buffers); /* as @open */
        void (*buffers_close)(struct buffers *buffers);
        void (*buffers_give)(struct buffers *buffers, unsigned id); /* it may be lent */
};

extern const struct engine_verbs engine_uring; /* core/engine/uring.c */
extern const struct engine_verbs engine_epoll; /* core/engine/epoll.c */

/* No more from us: the peer sees the end behind what was sent. No operation: it never waits. */
static inline void engine_shutdown(struct ring *ring, struct engine_file *file)
{
        (void)ring;
        /* Fails only when the peer is gone already, which receiving tells. */
        (void)shutdown(file->fd, SHUT_WR);
}

/* core/engine/system.c: what engines that talk to the kernel have in common. */
uint64_t system_now(void);
uint64_t system_now_coarse(void);
int system_random(void *bytes, size_t size);
void system_refuse(struct ring *ring, int fd);

/* The completion of an accept that does not tell who came: asks the system, and tells the listener. */
void system_on_accepted(struct op *op, struct completion completion);

/* --- what an engine gets from its ring --- */

/* Prompt operations that have succeeded, all that are in ring->prompt. */
void ring_tell_prompt(struct ring *ring);

/* One completion. */
static inline void ring_complete(struct ring *ring, struct op *op, struct completion completion)
{
        if (!completion.more)
                ring->ops_in_flight--;
        op->on_complete(op, completion);
}
