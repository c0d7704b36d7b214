/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/endpoint.h"
#include "core/list.h"

#include <stdbool.h>

/* What an operation ended with, or one of its results. */
struct completion {
        int result; /* what the call would have returned, or a negative errno */
        bool more; /* not the last: the operation goes on */
        const unsigned char
                *bytes; /* of a receive: the lent buffer, for buffers_return(). NULL: none */
};

/*
 * One operation given to the engine (core/engine.h), embedded in the object that it belongs to.
 *
 * Ownership: from the call of the verb until the last completion (one without `more`) the engine
 * owns the operation: neither it nor memory that it was given (buffers, iovecs, addresses) may move
 * or be freed. Closing a descriptor ends nothing: cancel, then await the last completion.
 */
struct op {
        /* Runs on the ring's thread from the turn itself, never from within another callback; may
         * free the object that embeds @op when this was the last completion. */
        void (*on_complete)(struct op *op, struct completion completion);

        /* The epoll engine's, when it has ended and that is untold: io_uring keeps this in its CQ. */
        struct op *next;
        int result;
};

/* Takes connections. */
struct accept_op {
        struct op op; /* the engine's */
        /* As op.on_complete, which the engine sets itself. */
        void (*on_accept)(struct accept_op *accept, struct completion completion);
        struct endpoint peer; /* who came, while on_accept runs with a descriptor */
};

struct buffers;

/* Takes bytes into lent buffers. */
struct receive_op {
        struct op op;
        struct buffers
                *buffers; /* the engine's, while the operation is in flight: what it lends from */
};

/*
 * An operation that is over once it has been looked at: it succeeds then and there, without a
 * completion, or has failed with one. A send that may not wait is such. A completion that nobody
 * waits for would end the ring's wait: two turns where one does.
 */
struct prompt_op {
        struct op op; /* on_complete: it failed, this is its only completion */
        struct list link; /* in ring->prompt while it is undecided, or its success untold */
        /* It succeeded. As on_complete, it runs from the turn itself, before any completion. */
        void (*on_success)(struct prompt_op *prompt);
};
