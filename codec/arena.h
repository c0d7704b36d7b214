/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slab.h"
#include "upb/mem/alloc.h"
#include "upb/mem/arena.h"

/*
 * Arenas on recycled blocks.
 *
 * upb allocates messages from arenas, and arenas from a upb_alloc in blocks. Here the blocks come from a pool that one ring
 * owns, so a call in steady state costs no malloc: its arena's first block is the one that the last call freed, still warm in
 * the cache.
 *
 * What upb (35.1) does:
 *  - The arena's state (88 bytes, 96 without NDEBUG, more under ASan) lives at the head of the
 *    first block; each further block carries 16 bytes of upb's. Allocations are aligned to 8 and
 *    are a pointer's increment, about 1 ns.
 *  - When a block is full the next is twice the last one, up to upb_Arena_SetMaxBlockSize()
 *    (process-wide, 32 KiB by default); the rest of the old block is lost. On an arena with a first
 *    block given by the caller the doubling starts at 256 bytes; our pool answers with at least
 *    ARENA_BLOCK_BYTES_MIN and says so, upb uses it all and doubles from there.
 *  - An allocation that doesn't fit the next block gets a block of exactly its size, the current
 *    block stays current.
 *  - upb_Arena_TryExtend() grows the newest allocation in place while its block has room,
 *    upb_Arena_Realloc() copies otherwise; the old copy is lost until the arena goes.
 *  - Nothing is retained: upb_Arena_Free() gives every block back, with its size, and there is no
 *    reset.
 *  - An arena with a first block given by the caller refuses upb_Arena_Fuse() and IncRef: so its
 *    life cannot be prolonged.
 *  - A first block with a NULL allocator, which upb documents as an arena of fixed size, crashes
 *    when full: its test for that overlooks the tag bit. Limit an arena with a budget instead.
 *  - Do not call upb_Arena_ShrinkLast() or _Realloc() from our code: without NDEBUG their inline
 *    bodies need a symbol that a upb built with NDEBUG lacks. _Malloc() and _TryExtend() are free
 *    of that.
 */

/*
 * Classes are powers of two from _MIN to _MAX, and above that quarters between two of them, up to ARENA_LARGE_BYTES_MAX: bodies
 * of large messages, whose pages would
 * otherwise be faulted in again for each. Larger blocks are not kept.
 */
#define ARENA_BITS_MIN 10
#define ARENA_BITS_MAX 16
#define ARENA_LARGE_BITS_MAX 23
#define ARENA_BLOCK_BYTES_MIN ((size_t)1 << ARENA_BITS_MIN)
#define ARENA_BLOCK_BYTES_MAX ((size_t)1 << ARENA_BITS_MAX)
#define ARENA_LARGE_BYTES_MAX ((size_t)1 << ARENA_LARGE_BITS_MAX)
#define ARENA_POWERS (ARENA_BITS_MAX - ARENA_BITS_MIN + 1)
#define ARENA_QUARTERS (4 * (ARENA_LARGE_BITS_MAX - ARENA_BITS_MAX))

struct arena_block;

/*
 * All blocks are mappings of the system, not malloc's, so that the memory of a peak can be returned: a small block is cut from
 * a slab, a large one is a mapping of its own.
 *
 * Thread: exactly one, its owner's, for the pool and for every arena on it; any, if the pool is shared.
 */
struct arena_pool {
        upb_alloc alloc; /* must stay first: upb hands this address back to us */
        bool is_shared;
        pthread_mutex_t mutex; /* if so */
        struct slab slabs[ARENA_POWERS];
        struct arena_block *free[ARENA_QUARTERS];
        struct arena_block *idle[ARENA_QUARTERS]; /* not needed since the last trim */
        size_t kept_bytes; /* in these lists */
        size_t kept_bytes_max;
        _Atomic size_t used_bytes; /* in use, of both kinds: see arena_pool_used_bytes() */
        size_t reclaim_at; /* when the slabs are this large, their free chunks are returned before they grow */
};

/*
 * @kept_bytes_max: large blocks that come back are kept for reuse up to this sum.
 * The pool must not move while in use. It takes no memory before the first allocation.
 */
void arena_pool_init(struct arena_pool *pool, size_t kept_bytes_max);

/* The same, for arenas on several threads; each arena is used by one thread at a time. */
void arena_pool_init_shared(struct arena_pool *pool, size_t kept_bytes_max);

/* Frees kept blocks. Every arena on the pool must be gone (asserted). Takes zeroed memory. */
void arena_pool_deinit(struct arena_pool *pool);

/*
 * Called once a period, of about a second: like slab_trim(), returns blocks to the system that were not needed during the
 * period.
 */
size_t arena_pool_trim(struct arena_pool *pool);

/* Bytes of its arenas, and of blocks that were taken without an arena. Any thread. */
static inline size_t arena_pool_used_bytes(const struct arena_pool *pool)
{
        return atomic_load_explicit(&pool->used_bytes, memory_order_relaxed);
}

/* The allocator for upb_Arena_Init(). Lives as long as the pool. */
static inline upb_alloc *arena_pool_alloc(struct arena_pool *pool)
{
        return &pool->alloc;
}

/*
 * A upb arena that can be emptied. Zeroed memory is a valid object to deinit.
 */
struct arena {
        upb_Arena *upb; /* for upb's functions; the same pointer from init to deinit */
        struct arena_pool *pool;
        void *first; /* the first block, kept across resets; holds *upb */
        size_t first_bytes;
        char *begin; /* in that block: of the first allocation */
};

/*
 * Makes an arena whose first block holds @first_bytes in all, rounded up to the pool's class (upb's 88 bytes included). Returns
 * 0 or -ENOMEM. The pool must outlive the arena. With @pool NULL the arena uses malloc() and free().
 */
int arena_init(struct arena *arena, struct arena_pool *pool, size_t first_bytes);

/* The same, on @large, which was made for @pool and remembers the large blocks of this arena. */
struct large_blocks;
int arena_init_large(struct arena *arena, struct arena_pool *pool, struct large_blocks *large,
        size_t first_bytes);

/*
 * Forgets everything allocated; pointers into the arena die. Cannot fail; further blocks go back to
 * the pool.
 */
void arena_reset(struct arena *arena);

/*
 * The same for an arena that has hardly been used: costs next to nothing while that fits its first block, but an allocation that was too
 * large for its block, and has another one, may stay until arena_reset().
 */
void arena_rewind(struct arena *arena);

/* Bytes of its blocks other than the first. */
static inline size_t arena_grown_bytes(const upb_Arena *upb)
{
        return upb_Arena_SpaceAllocated(
                upb, NULL); /* upb does not count the first, which we gave it */
}

/*
 * Resets it if half of its first block is used, or there are others: for small short-lived allocations, cheaper than a reset
 * each.
 */
void arena_reset_if_half_used(struct arena *arena);

/* For an arena that was made. */
void arena_give_back(struct arena *arena);

/* Frees everything. Takes any half-built or already deinited object. */
static inline void arena_deinit(struct arena *arena)
{
        if (arena->first)
                arena_give_back(arena);
}
