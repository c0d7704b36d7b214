/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/endpoint.h"
#include "core/list.h"

#include <stdbool.h>

/* The result of an operation, or one of several results. */
struct completion {
        int result; /* as the system call would return it, or a negative errno */
        bool more; /* not the last result: the operation goes on */
        const unsigned char
                *bytes; /* of a receive: the lent buffer, for buffers_return(). NULL: none */
};

/*
 * One operation given to the engine (core/engine.h), embedded in the object that it belongs to.
 *
 * Ownership: from the call of the verb until the last completion (one without `more`) the engine owns the operation. Neither
 * the operation nor its memory (buffers, iovecs, addresses) may be moved or freed. Closing a descriptor does not end an
 * operation: cancel it, then wait for the last completion.
 */
struct op {
        /* Runs on the ring's thread from the turn itself, never from within another callback; may
         * free the object that embeds @op when this was the last completion. */
        void (*on_complete)(struct op *op, struct completion completion);

        /* Used by the epoll engine for an operation that has ended and is not delivered yet; io_uring has its CQ for that. */
        struct op *next;
        int result;
};

/*
 * So many connections at most are accepted in a turn of a ring, by one listener. Opening them takes time, for which the connections
 * that are open already wait.
 */
enum { ACCEPTS_A_TURN = 4 };

struct engine_file;
struct ring;

/* Accepts connections. */
struct accept_op {
        struct op op; /* the engine's */
        /* As op.on_complete, which the engine sets itself. */
        void (*on_accept)(struct accept_op *accept, struct completion completion);
        struct endpoint peer; /* its address, while on_accept runs with a descriptor */

        /* The rest is io_uring's, where several operations accept. */
        struct ring *ring;
        struct engine_file *file;
        struct op cancel_op;
        int error; /* why it ends; 0: it does not */
        unsigned in_flight; /* operations */
};

struct buffers;

/* Receives bytes into lent buffers. */
struct receive_op {
        struct op op;
        struct buffers
                *buffers; /* the engine's, while the operation is in flight: what it lends from */
};

/*
 * An operation that never waits: it succeeds at once, without a completion, or fails with one. For example a send with
 * MSG_DONTWAIT. A completion that nobody waits for would end the ring's wait: two turns where one is enough.
 */
struct prompt_op {
        struct op op; /* on_complete: it failed, this is its only completion */
        struct list link; /* in ring->prompt until its result is delivered */
        /* It succeeded. Like on_complete it runs from the turn itself, but before any completion. */
        void (*on_success)(struct prompt_op *prompt);
};
