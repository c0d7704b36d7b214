/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all connections of one ring share: its memory, its buffers, and the host of their calls. A server's shard embeds one.
 * Used on the ring's thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "call/call.h"
#include "codec/arena.h"
#include "core/buffers.h"
#include "core/ring.h"
#include "core/slab.h"
#include "core/timer.h"
#include "link/heap.h"
#include "link/shortage.h"
#include "transport/memory.h"
#include "transport/tls_spares.h"

struct base {
        struct ring ring;
        struct buffers buffers;
        struct buffers bulk; /* larger ones, for connections that receive much */
        struct buffers newcomers; /* few, for peers that have not sent their SETTINGS yet */
        struct arena_pool arenas;
        struct arena_pool shared_arenas; /* for offloaded calls */
        struct memory memory; /* nghttp2's */
        struct tls_spares spares; /* for ciphertext */
        struct slab calls;
        struct slab outputs;
        struct call_host host;
        struct list connections; /* all that are not freed yet */
        struct heap heap; /* malloc's: what TLS leaves there */
        struct timer trim; /* returns memory to the system after a peak */
        size_t mappings_seen; /* mappings_made() when `trim` was last started */
        const struct base_slab *owned; /* where the owner allocates its connections */
        struct list slabs; /* struct base_slab: trimmed too */
        struct shortage shortage;
};

struct base_options {
        struct ring_options ring;
        size_t memory_bytes_max; /* of this ring; SIZE_MAX: no limit */
        const quoit_limits *limits; /* outlives the base */
        const struct base_slab
                *owned; /* where the owner allocates its connections, once there is a base */
        void *user; /* of the call host */
        /* Memory is short: @count more calls were refused or ended. At most every ten seconds. */
        void (*on_shortage)(struct base *base, uint64_t count);
};

/*
 * Call it on the thread that will run the ring. 0 or a negative errno: then nothing is left to undo, and `ring.refused_call`
 * says which call the kernel refused. The owner fills in the rest of `host` (interceptors, compression, ...).
 */
int base_init(struct base *base, const struct base_options *options);

/*
 * What calls of another owner on the same ring have in place of the base's `host`: a host of their own, with the same memory. @limits
 * outlive it. It needs no end but coders_deinit().
 */
void base_init_host(struct call_host *host, struct base *base, const quoit_limits *limits,
        size_t memory_bytes_max, void *user);

/* Ends the ring. Calls that were given up, and the arenas they lie in, stay until base_free_calls(). */
void base_deinit(struct base *base);
void base_free_calls(struct base *base);

/* A slab of whoever uses the ring besides its owner, or the owner's own, which the base trims. */
struct base_slab {
        struct slab slab;
        struct list link; /* in the base */
};

void base_slab_init(struct base_slab *slab, struct base *base, size_t object_bytes);
void base_slab_deinit(struct base_slab *slab);

/* At the end of each turn: returns spare memory, and watches for a shortage. */
void base_look(struct base *base);

/* The memory that the kernel allocates for a ring with @entries and its buffers. */
size_t base_kernel_bytes(unsigned entries);
