/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one ring lends to all connections on it: its memory, its buffers, and the host of their calls. A server's shard embeds one.
 * All of it belongs to the ring's thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "call/call.h"
#include "codec/arena.h"
#include "core/buffers.h"
#include "core/ring.h"
#include "core/slab.h"
#include "core/timer.h"
#include "link/shortage.h"
#include "transport/memory.h"
#include "transport/tls_spares.h"

struct base {
        struct ring ring;
        struct buffers buffers;
        struct buffers bulk; /* larger ones, for connections that receive much */
        struct arena_pool arenas;
        struct arena_pool shared_arenas; /* for calls that are offloaded */
        struct memory memory; /* nghttp2's */
        struct tls_spares spares; /* for ciphertext */
        struct slab calls;
        struct slab outputs;
        struct call_host host;
        struct list connections; /* all that are not freed; their memory is their owners' */
        struct timer trim; /* gives back what a peak has left */
        size_t mappings_seen; /* when it was started last */
        struct slab *owned; /* the connections' memory, which is trimmed too */
        struct shortage shortage;
};

struct base_options {
        struct ring_options ring;
        size_t memory_bytes_max; /* of this ring; SIZE_MAX: no limit */
        const quoit_limits *limits; /* outlives the base */
        struct slab *owned; /* where the owner allocates its connections */
        void *user; /* of the call host */
        /* @count more calls were refused or ended because memory is short. At most every ten seconds. */
        void (*on_shortage)(struct base *base, uint64_t count);
};

/*
 * On the thread that is to be the ring's. 0 or a negative errno, with nothing left to undo; `ring.refused_call` says
 * what the kernel refused. What `host` has beyond the ring's own (interceptors, compression, ...) is the owner's to fill in.
 */
int base_init(struct base *base, const struct base_options *options);

/* The ring ends. Calls that were given up, and the arenas that they lie in, stay until base_free_calls(). */
void base_deinit(struct base *base);
void base_free_calls(struct base *base);

/* Once in each turn, at its end: looks after the memory. */
void base_look(struct base *base);

/* What the kernel allocates for a ring with @entries, and its buffers. */
size_t base_kernel_bytes(unsigned entries);
