/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside core/ only: the interface between a ring and its engine. An engine talks to the kernel. A ring has one engine for
 * life, chosen at ring_init. Everything that is the same for all engines (the order of a turn, timers, mail, the states of a
 * socket) is in other files.
 *
 * Verbs run on the ring's thread and never call back: they only start operations, whose completions `harvest` delivers in a
 * later turn. They never fail: a refusal by the kernel is the operation's result.
 */

#include "core/op.h"
#include "core/ring.h"

#include <stddef.h>
#include <sys/socket.h>

/* A descriptor that operations are started on: in sockets, listeners and connectors. */
struct engine_file {
        int fd;
        bool accepts : 1; /* of a listener */

        /* The rest is the epoll engine's; io_uring has it in the kernel. */
        bool watched : 1; /* it is registered with epoll, */
        bool watched_sending : 1; /* also for EPOLLOUT */
        bool readable : 1; /* there may be something to read */
        bool writable : 1; /* there may be room to send */
        bool reads_to_the_end : 1; /* a short read does not mean that the socket is empty */
        bool once : 1; /* `in` is for one buffer */
        bool ending : 1; /* `in` is an accept that was cancelled */
        bool connects : 1; /* `out` is a connect */
        bool awaits : 1; /* `in` is an await */
        struct op *in; /* the receive, accept or await in flight */
        struct op *out; /* the send or connect that waits */
        const struct msghdr *message; /* of the send */
        struct list due; /* link in the list of files that the next harvest tries */
};

static inline void engine_file_init(struct engine_file *file, int fd)
{
        *file = (struct engine_file){ .fd = fd, .writable = true };
        list_init(&file->due);
}

struct engine_verbs {
        /* --- life --- */

        /*
         * 0 or a negative errno, with the failed call in @ring->refused_call. @ring->wake_fd is open: a write to it ends the
         * wait.
         */
        int (*open)(struct ring *ring, const struct ring_options *options);
        void (*end)(struct ring *ring); /* ends the engine's own operations in flight, if any */
        void (*close)(struct ring *ring); /* frees all that is left; also after a failed open */

        /* --- a turn --- */

        /* If the ring waits, a turn must begin at @time_ns at the latest. TIMER_NEVER: none is needed. */
        void (*alarm)(struct ring *ring, uint64_t time_ns);

        /*
         * Starts queued operations, and waits for a completion, a wake or the alarm, at most @timeout_ns. 0 or a negative errno
         * that is fatal to the ring.
         */
        int (*wait)(struct ring *ring, uint64_t timeout_ns);

        /* Delivers successes of prompt operations, then completions: those that are there when it begins. */
        void (*harvest)(struct ring *ring);

        /* --- clock and chance --- */

        /* Any thread. */
        uint64_t (*now)(void); /* CLOCK_MONOTONIC, in ns, or a simulated clock */
        uint64_t (*now_coarse)(void); /* see ring_clock_coarse_ns() */
        int (*random)(void *bytes, size_t size); /* see ring_random() */

        /* --- operations --- */

        /*
         * Receives again and again, or @once. Results: a number of bytes; 0: the peer sends no more; -ENOBUFS: no buffer of
         * @op->buffers is free.
         */
        void (*receive)(
                struct ring *ring, struct engine_file *file, struct receive_op *op, bool once);

        /* Sends at least some of @message, mostly all of it. */
        void (*send)(struct ring *ring, struct engine_file *file, struct op *op,
                const struct msghdr *message);

        /* Sends as much as is possible at once, without waiting. All of it: success. */
        void (*send_prompt)(struct ring *ring, struct engine_file *file, struct prompt_op *op,
                const struct msghdr *message);

        /*
         * Each connection is a result: a descriptor, close-on-exec, with the peer's address in @op->peer. At most ACCEPTS_A_TURN
         * in a turn; when it is cancelled, all that wait.
         */
        void (*accept)(struct ring *ring, struct engine_file *file, struct accept_op *op);

        /* Closes an accepted connection that is not wanted, at once. */
        void (*refuse)(struct ring *ring, int fd);

        void (*connect)(struct ring *ring, struct engine_file *file, struct op *op,
                const struct sockaddr *address, socklen_t address_bytes);

        /*
         * Completes with those of @events (EPOLLIN, EPOLLOUT) for which @file is ready, or with both if it has an error: at once
         * where it is ready already. The only operation of its file, whose descriptor another library reads, writes and closes:
         * not before the await was cancelled or has completed.
         */
        void (*await)(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events);

        /* Ends @target, an operation on @file, with -ECANCELED unless it ends otherwise meanwhile; @op completes as well. */
        void (*cancel)(
                struct ring *ring, struct engine_file *file, struct op *op, struct op *target);
        void (*cancel_all)(
                struct ring *ring, struct engine_file *file, struct op *op); /* on @file */

        /* Nothing is in flight on @file. */
        void (*close_file)(struct ring *ring, struct engine_file *file, struct op *op);

        /* --- between rings --- */

        /* Makes a turn of @to, which runs on another thread, for mail that was pushed. */
        void (*post)(struct ring *from, struct ring *to);

        /* --- in a foreign loop --- */

        /* A descriptor that becomes readable when a turn is due; from then on the ring never waits itself. Called once. */
        int (*poll)(struct ring *ring);
        bool (*is_idle)(const struct ring
                        *ring); /* nothing is queued to be started, nothing can be harvested */

        /* --- lent buffers --- */

        int (*buffers_open)(struct buffers *buffers); /* returns as @open does */
        void (*buffers_close)(struct buffers *buffers);
        void (*buffers_give)(struct buffers *buffers, unsigned id); /* it can be lent from now on */
};

extern const struct engine_verbs engine_uring; /* core/engine/uring.c */
extern const struct engine_verbs engine_epoll; /* core/engine/epoll.c */

/* Half-closes: the peer sees the end of file after what was sent. Not an operation: it never waits. */
static inline void engine_shutdown(struct ring *ring, struct engine_file *file)
{
        (void)ring;
        /* Fails only when the peer is gone already; then receiving reports it. */
        (void)shutdown(file->fd, SHUT_WR);
}

/* core/engine/system.c: shared by the engines that talk to the kernel. */
uint64_t system_now(void);
uint64_t system_now_coarse(void);
int system_random(void *bytes, size_t size);
void system_refuse(struct ring *ring, int fd);

/* Completes an accept that has no address: asks the system for it, and calls the listener. */
void system_on_accepted(struct op *op, struct completion completion);

/* --- called by engines --- */

/* All prompt operations in ring->prompt have succeeded. */
void ring_deliver_prompt(struct ring *ring);

/* One completion. */
static inline void ring_complete(struct ring *ring, struct op *op, struct completion completion)
{
        if (!completion.more)
                ring->ops_in_flight--;
        op->on_complete(op, completion);
}
