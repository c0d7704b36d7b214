/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/engine.h"
#include "core/op.h"
#include "core/ring.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * Tells when a descriptor that another library reads, writes and closes is ready, until that ends. It tells again as long as it is
 * ready (level-triggered). Embedded; reusable after its end. All on the ring's thread.
 */
struct readiness {
        struct ring *ring;
        struct op op;
        struct op cancel_op;
        struct engine_file file;
        uint32_t events; /* wanted now */
        bool is_armed; /* @op is in flight */
        bool is_cancelled; /* @cancel_op is */
        bool is_refused; /* the system cannot watch the descriptor */
        bool tells; /* on_ready runs */
        bool ends; /* it was told to */

        /*
         * @events: EPOLLIN, EPOLLOUT or both, of those that are wanted; all of them if the descriptor has an error, which its
         * owner then finds, or, once, if the system cannot watch it. It may start and end others, and itself.
         */
        void (*on_ready)(struct readiness *readiness, uint32_t events);

        /* After readiness_end(), once, from the turn itself: nothing is in flight, its memory may be freed. */
        void (*on_end)(struct readiness *readiness);
};

/* Begins to watch @fd for @events (EPOLLIN, EPOLLOUT), one at least. */
void readiness_start(struct readiness *readiness, struct ring *ring, int fd, uint32_t events,
        void (*on_ready)(struct readiness *readiness, uint32_t events),
        void (*on_end)(struct readiness *readiness));

/* Other events from here on, one at least. */
void readiness_set(struct readiness *readiness, uint32_t events);

/* No on_ready follows, but on_end. The descriptor may be closed on return. Once. */
void readiness_end(struct readiness *readiness);
