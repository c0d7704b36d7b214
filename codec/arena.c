/* SPDX-License-Identifier: MIT */
#include "codec/arena.h"
#include "codec/large_blocks.h"

#include <assert.h>
#include <errno.h>

#include "core/mapping.h"
#include "core/poison.h"

#include "upb/port/def.inc" /* last: UPB_PRIVATE(), for the reason that encode.c has */

/*
 * Blocks in the free lists are poisoned, so that ASan finds a use after free as with free(). upb poisons parts of its blocks
 * too, and relies on the allocator to unpoison them.
 */
struct arena_block {
        struct arena_block *next;
};

#define RECLAIM_BYTES_MIN ((size_t)4 << 20)

/*
 * The class of a block that is larger than those of slabs; sets *size to the size of the class. ARENA_QUARTERS: it is not kept.
 */
static unsigned int quarter_class(size_t *size)
{
        unsigned int bits, step, quarter;

        if (*size > ARENA_LARGE_BYTES_MAX)
                return ARENA_QUARTERS;
        bits = 64 - (unsigned int)__builtin_clzl(*size - 1); /* 1 << bits holds it, half does not */
        step = bits - 3;
        quarter = (unsigned int)((*size - 1) >> step) - 4;
        *size = (size_t)(quarter + 5) << step;
        return 4 * (bits - ARENA_BITS_MAX - 1) + quarter;
}

static unsigned int power_class(size_t size)
{
        if (size <= ARENA_BLOCK_BYTES_MIN)
                return 0;
        return 64 - (unsigned int)__builtin_clzl(size - 1) - ARENA_BITS_MIN;
}

static void *list_pop(struct arena_block **list, size_t size)
{
        struct arena_block *block = *list;

        if (block) {
                unpoison(block, size);
                *list = block->next;
        }
        return block;
}

static void list_push(struct arena_block **list, struct arena_block *block, size_t size)
{
        unpoison(block, sizeof(*block));
        block->next = *list;
        poison(block, size);
        *list = block;
}

static void mapping_drop(void *block, size_t size)
{
        unpoison(block, size);
        mapping_free(block, size);
}

static void *large_take(struct arena_pool *pool, size_t *size)
{
        unsigned int class = quarter_class(size);
        void *block = NULL;

        if (class < ARENA_QUARTERS) {
                block = list_pop(pool->free + class, *size);
                if (!block)
                        block = list_pop(pool->idle + class, *size);
        }
        if (block)
                pool->kept_bytes -= *size;
        return block ? block : mapping_new(*size, 0);
}

static void large_give(struct arena_pool *pool, void *block, size_t size)
{
        size_t class_size = size;
        unsigned int class = quarter_class(&class_size);

        if (class == ARENA_QUARTERS || size > pool->kept_bytes_max - pool->kept_bytes) {
                mapping_drop(block, size);
                return;
        }
        assert(size == class_size);
        list_push(pool->free + class, block, size);
        pool->kept_bytes += size;
}

static size_t slabs_bytes(const struct arena_pool *pool, size_t *ret_live)
{
        size_t total = 0;

        *ret_live = 0;
        for (unsigned int class = 0; class < ARENA_POWERS; class ++) {
                *ret_live += pool->slabs[class].live * pool->slabs[class].object_bytes;
                total += pool->slabs[class].total * pool->slabs[class].object_bytes;
        }
        return total;
}

/*
 * Called before a new chunk is taken: much may be free in other classes, and a peer chooses which class we use next. Not again
 * before the pool has grown by a quarter: if one block keeps each chunk, little can be freed, and each attempt walks over all
 * free blocks.
 */
__attribute__((noinline, cold)) static void reclaim(struct arena_pool *pool)
{
        size_t live, total = slabs_bytes(pool, &live);

        if (total < pool->reclaim_at)
                return;
        if (live <= total / 4 * 3) {
                for (unsigned int class = 0; class < ARENA_POWERS; class ++)
                        slab_reclaim(pool->slabs + class);
                total = slabs_bytes(pool, &live);
        }
        pool->reclaim_at = total + total / 4 + RECLAIM_BYTES_MIN;
}

static void *small_take(struct arena_pool *pool, size_t *size)
{
        unsigned int class = power_class(*size);
        struct slab *slab = pool->slabs + class;

        *size = ARENA_BLOCK_BYTES_MIN << class;
        if (slab_is_exhausted(slab))
                reclaim(pool);
        return slab_alloc(slab);
}

/* The writer owns the pool, or its lock: so no atomic addition is needed. */
static void set_used(struct arena_pool *pool, size_t bytes)
{
        atomic_store_explicit(&pool->used_bytes, bytes, memory_order_relaxed);
}

static void *block_take(struct arena_pool *pool, size_t size, size_t *actual_size)
{
        void *block;

        block = size <= ARENA_BLOCK_BYTES_MAX ? small_take(pool, &size) : large_take(pool, &size);
        if (!block)
                return NULL;
        set_used(pool, arena_pool_used_bytes(pool) + size);
        if (actual_size)
                *actual_size = size;
        return block;
}

static void block_give(struct arena_pool *pool, void *block, size_t size)
{
        assert(size <= arena_pool_used_bytes(pool));
        set_used(pool, arena_pool_used_bytes(pool) - size);
        if (size <= ARENA_BLOCK_BYTES_MAX) {
                unpoison(block, ARENA_BLOCK_BYTES_MIN);
                slab_free(pool->slabs + power_class(size), block);
        } else {
                large_give(pool, block, size);
        }
}

/*
 * upb's malloc, realloc and free in one. Arenas pass the size when they free, so blocks need no header of ours, and never
 * reallocate.
 */
static void *pool_function(
        upb_alloc *alloc, void *block, size_t old_size, size_t size, size_t *actual_size)
{
        struct arena_pool *pool = (struct arena_pool *)alloc;

        if (!block)
                return block_take(pool, size, actual_size);
        assert(old_size > 0 && size == 0);
        block_give(pool, block, old_size);
        return NULL;
}

static void *shared_function(
        upb_alloc *alloc, void *block, size_t old_size, size_t size, size_t *actual_size)
{
        struct arena_pool *pool = (struct arena_pool *)alloc;

        pthread_mutex_lock(&pool->mutex);
        block = pool_function(alloc, block, old_size, size, actual_size);
        pthread_mutex_unlock(&pool->mutex);
        return block;
}

void arena_pool_init(struct arena_pool *pool, size_t kept_bytes_max)
{
        *pool = (struct arena_pool){
                .alloc = { .func = pool_function },
                .kept_bytes_max = kept_bytes_max,
        };
        for (unsigned int class = 0; class < ARENA_POWERS; class ++)
                slab_init(pool->slabs + class, ARENA_BLOCK_BYTES_MIN << class);
}

void arena_pool_init_shared(struct arena_pool *pool, size_t kept_bytes_max)
{
        arena_pool_init(pool, kept_bytes_max);
        pool->alloc.func = shared_function;
        pool->is_shared = true;
        pthread_mutex_init(&pool->mutex, NULL);
}

/* The size that all blocks of a class have. */
static size_t quarter_size(unsigned int class)
{
        return (size_t)(class % 4 + 5) << (class / 4 + ARENA_BITS_MAX - 2);
}

static void free_idle(struct arena_pool *pool)
{
        for (unsigned int class = 0; class < ARENA_QUARTERS; class ++) {
                size_t size = quarter_size(class);
                void *block;

                while ((block = list_pop(pool->idle + class, size))) {
                        pool->kept_bytes -= size;
                        mapping_drop(block, size);
                }
                pool->idle[class] = pool->free[class];
                pool->free[class] = NULL;
        }
}

static size_t trim(struct arena_pool *pool)
{
        size_t bytes = 0;

        for (unsigned int class = 0; class < ARENA_POWERS; class ++)
                bytes += slab_trim(pool->slabs + class);
        if (pool->kept_bytes > 0)
                free_idle(pool);
        return bytes + pool->kept_bytes;
}

size_t arena_pool_trim(struct arena_pool *pool)
{
        size_t bytes;

        if (pool->is_shared)
                pthread_mutex_lock(&pool->mutex);
        bytes = trim(pool);
        if (pool->is_shared)
                pthread_mutex_unlock(&pool->mutex);
        return bytes;
}

void arena_pool_deinit(struct arena_pool *pool)
{
        assert(arena_pool_used_bytes(pool) == 0);
        free_idle(pool);
        free_idle(pool);
        for (unsigned int class = 0; class < ARENA_POWERS; class ++)
                slab_deinit(pool->slabs + class);
        if (pool->is_shared)
                pthread_mutex_destroy(&pool->mutex);
        *pool = (struct arena_pool){ 0 };
}

static upb_alloc *arena_alloc(struct arena_pool *pool)
{
        return pool ? &pool->alloc : &upb_alloc_global;
}

static int arena_make(
        struct arena *arena, struct arena_pool *pool, upb_alloc *alloc, size_t first_bytes)
{
        upb_SizedPtr first;

        if (first_bytes < ARENA_BLOCK_BYTES_MIN)
                first_bytes = ARENA_BLOCK_BYTES_MIN;
        first = upb_SizeReturningMalloc(arena_alloc(pool), first_bytes);
        if (!first.p)
                return -ENOMEM;
        *arena = (struct arena){ .pool = pool, .first = first.p, .first_bytes = first.n };
        arena->upb = upb_Arena_Init(first.p, first.n, alloc);
        arena->begin = arena->upb->UPB_PRIVATE(ptr);
        assert((void *)arena->upb == arena->first);
        return 0;
}

int arena_init(struct arena *arena, struct arena_pool *pool, size_t first_bytes)
{
        return arena_make(arena, pool, arena_alloc(pool), first_bytes);
}

int arena_init_large(struct arena *arena, struct arena_pool *pool, struct large_blocks *large,
        size_t first_bytes)
{
        assert(large->pool == pool);
        return arena_make(arena, pool, &large->alloc, first_bytes);
}

void arena_reset(struct arena *arena)
{
        upb_Arena_Free(arena->upb);
        unpoison(arena->first, arena->first_bytes);
        arena->upb = upb_Arena_Init(arena->first, arena->first_bytes, arena_alloc(arena->pool));
        assert((void *)arena->upb == arena->first);
}

void arena_rewind(struct arena *arena)
{
        upb_Arena *upb = arena->upb;

        if (upb->UPB_PRIVATE(end) != (char *)arena->first + arena->first_bytes) {
                arena_reset(arena);
                return;
        }
        poison(arena->begin, (size_t)(upb->UPB_PRIVATE(ptr) - arena->begin));
        upb->UPB_PRIVATE(ptr) = arena->begin;
}

void arena_reset_if_half_used(struct arena *arena)
{
        char *first = arena->first;
        char *top = upb_Arena_Malloc(arena->upb, 1);

        /* a large allocation has a block of its own, and the first block is used further */
        if (top < first || top > first + arena->first_bytes / 2 ||
                arena_grown_bytes(arena->upb) > 0)
                arena_reset(arena);
}

void arena_give_back(struct arena *arena)
{
        upb_Arena_Free(arena->upb);
        upb_free_sized(arena_alloc(arena->pool), arena->first, arena->first_bytes);
        *arena = (struct arena){};
}

#include "upb/port/undef.inc"
