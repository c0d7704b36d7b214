/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Receive memory of one ring: buffers that are lent when bytes arrive (on io_uring the kernel picks from a provided buffer
 * ring), so that an idle connection holds none. A buffer belongs to the receiver from its completion until buffers_return().
 * When all are lent, receives end with ENOBUFS; their sockets queue here, first come first served, and can take one buffer each
 * when buffers are returned.
 */
enum { BUFFERS_COUNT = 256 }; /* by default */

struct buffers_options {
        unsigned count;     /* power of two; 0: 256 */
        size_t buffer_bytes; /* 0: 16 KiB */
        uint16_t group;     /* id on the ring; one `struct buffers` a group */
        bool once; /* a receive takes one buffer, and the next one is behind all that wait */
        /* Larger buffers, for sockets that receive more than one of these at once; NULL: there are none. Outlives this. */
        struct buffers *bulk;
};

/* A receiver that waits for buffers. Embedded. */
struct buffers_waiter {
        struct list link;
        void (*on_buffers)(struct buffers_waiter *waiter);
};

struct buffers {
        struct ring *ring;
        struct buffers *bulk;
        void *lendable; /* the engine's: those that are not lent */
        unsigned char *memory;
        size_t buffer_bytes;
        unsigned count;
        unsigned borrowed;
        uint64_t exhausted; /* how often a receiver began to wait */
        struct list waiters;
        struct deferred resume;
        uint16_t group;
        bool once;
};

/*
 * 0 or a negative errno, with the failed call in @ring->refused_call. Memory is count × buffer_bytes, mapped now, touched when
 * used.
 */
int buffers_init(struct buffers *buffers, struct ring *ring, const struct buffers_options *options);

/* Bytes that the kernel locks for @count buffers (0: the default), in addition to the buffers themselves. */
size_t buffers_kernel_bytes(unsigned count);

/* Asserts that all buffers are back and nobody waits. Before ring_deinit(). Also after a failed init. */
void buffers_deinit(struct buffers *buffers);

/* For engines: the bytes of buffer @id. */
static inline unsigned char *buffers_at(const struct buffers *buffers, unsigned id)
{
        return buffers->memory + id * buffers->buffer_bytes;
}

/* For engines: buffer @id is lent, its bytes belong to the receiver until buffers_return(). */
unsigned char *buffers_borrow(struct buffers *buffers, unsigned id);

void buffers_return(struct buffers *buffers, const unsigned char *bytes);

static inline void buffers_waiter_init(
        struct buffers_waiter *waiter, void (*on_buffers)(struct buffers_waiter *waiter))
{
        list_init(&waiter->link);
        waiter->on_buffers = on_buffers;
}

/* There is a queue: a new receiver has to wait as well. */
static inline bool buffers_are_contended(const struct buffers *buffers)
{
        return !list_is_empty(&buffers->waiters);
}

/*
 * Queues @waiter; its callback runs once, at the end of a turn in which buffers are free. In one turn at most as many waiters
 * as there are free buffers.
 */
void buffers_wait(struct buffers *buffers, struct buffers_waiter *waiter);

/* Takes it out of the queue. No-op when it does not wait. */
void buffers_wait_cancel(struct buffers_waiter *waiter);
