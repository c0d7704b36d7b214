/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/ring.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Receive memory of one ring: buffers that are lent when bytes arrive (on io_uring the kernel picks from a provided
 * buffer ring), so that an idle connection holds none. A buffer is the receiver's between its completion and
 * buffers_return(). When all are out, receives end with ENOBUFS; their sockets queue here, first
 * come first served, and may take one buffer each as they come back.
 */
enum { BUFFERS_COUNT = 256 }; /* by default */

struct buffers_options {
        unsigned count;     /* power of two; 0: 256 */
        size_t buffer_bytes; /* 0: 16 KiB */
        uint16_t group;     /* id on the ring; one `struct buffers` a group */
        /* Larger ones, for sockets that bring more than these take at once; NULL: there are none.
         * Outlives this. */
        struct buffers *bulk;
};

/* Somebody who waits for buffers. Embedded. */
struct buffers_waiter {
        struct list link;
        void (*on_buffers)(struct buffers_waiter *waiter);
};

struct buffers {
        struct ring *ring;
        struct buffers *bulk;
        void *lendable; /* the engine's: those that are not out */
        unsigned char *memory;
        size_t buffer_bytes;
        unsigned count;
        unsigned borrowed;
        uint64_t exhausted; /* how often somebody began to wait */
        struct list waiters;
        struct deferred resume;
        uint16_t group;
};

/* 0 or a negative errno, with the call in @ring->refused_call. Memory is count × buffer_bytes, mapped now, touched when
 * used. */
int buffers_init(struct buffers *buffers, struct ring *ring, const struct buffers_options *options);

/* What is locked for @count buffers (0: as many as there are by default), beside the buffers themselves. */
size_t buffers_kernel_bytes(unsigned count);

/* Asserts that all buffers are back and nobody waits. Before ring_deinit. NULL-memory (failed
 * init) is fine. */
void buffers_deinit(struct buffers *buffers);

/* For engines: the bytes of buffer @id. */
static inline unsigned char *buffers_at(const struct buffers *buffers, unsigned id)
{
        return buffers->memory + id * buffers->buffer_bytes;
}

/* For engines: buffer @id is out, its bytes are the receiver's until buffers_return(). */
unsigned char *buffers_borrow(struct buffers *buffers, unsigned id);

void buffers_return(struct buffers *buffers, const unsigned char *bytes);

static inline void buffers_waiter_init(
        struct buffers_waiter *waiter, void (*on_buffers)(struct buffers_waiter *waiter))
{
        list_init(&waiter->link);
        waiter->on_buffers = on_buffers;
}

/* Somebody waits: who needs buffers now has to wait as well. */
static inline bool buffers_are_contended(const struct buffers *buffers)
{
        return !list_is_empty(&buffers->waiters);
}

/* Calls back once, at the end of a turn in which buffers are free. Never more waiters a turn
 * than there are buffers. */
void buffers_wait(struct buffers *buffers, struct buffers_waiter *waiter);

/* Harmless when it does not wait. */
void buffers_wait_cancel(struct buffers_waiter *waiter);
