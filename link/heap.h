/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What connections with TLS leave in malloc's heap, where OpenSSL has its objects. malloc returns to the system only what is free
 * at a heap's end, and has a heap for each of several threads: a flood of handshakes would leave tens of MiB with the process
 * for good. So once many such connections have ended, and few still do, all free pages are returned. That can take tens
 * of milliseconds, and holds the lock of each heap meanwhile: a ring that allocates waits. So it is done after a peak, not
 * while as many connections come and go as before.
 */

#include <stdbool.h>

#include "link/workers.h"

/* Fewer connections than these do not leave much. */
#define HEAP_ENDED_MIN 128

/* Of one ring. Zeroed at first, except for @work's ring. */
struct heap {
        struct work work;
        struct workers *threads; /* of the newest connection with TLS; NULL: there was none */
        unsigned ended; /* such connections that have ended since the last trim, ... */
        unsigned ended_seen; /* ... how many of them were known a second ago, ... */
        unsigned most; /* ... and the most of one second */
};

/* Whether heap_look() is to be called every second. */
static inline bool heap_is_used(const struct heap *heap)
{
        return heap->ended >= HEAP_ENDED_MIN;
}

void heap_look(struct heap *heap);
