/* SPDX-License-Identifier: MIT */
#include "codec/arena.h"
#include "codec/large_blocks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

/*
 * Blocks lie in the free lists poisoned, so that ASan sees a use after free as it would with
 * free(). upb poisons parts of its blocks too, and counts on the allocator to lift that.
 */
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

struct arena_block {
        struct arena_block *next;
};

/*
 * The class that holds *size bytes, which is set to the class's size; ARENA_CLASSES: none does,
 * malloc serves.
 */
static unsigned int arena_class(size_t *size)
{
        unsigned int bits, step, quarter;

        if (*size > ARENA_LARGE_BYTES_MAX)
                return ARENA_CLASSES;
        if (*size <= ARENA_BLOCK_BYTES_MIN) {
                *size = ARENA_BLOCK_BYTES_MIN;
                return 0;
        }
        bits = 64 - (unsigned int)__builtin_clzl(*size - 1); /* 1 << bits holds it, half does not */
        if (bits <= ARENA_BITS_MAX) {
                *size = (size_t)1 << bits;
                return bits - ARENA_BITS_MIN;
        }
        step = bits - 3;
        quarter = (unsigned int)((*size - 1) >> step) - 4;
        *size = (size_t)(quarter + 5) << step;
        return ARENA_POWERS + 4 * (bits - ARENA_BITS_MAX - 1) + quarter;
}

static void *arena_block_take(struct arena_pool *pool, size_t size, size_t *actual_size)
{
        unsigned int order = arena_class(&size);
        struct arena_block *block;

        if (pool->used_bytes_max && size > pool->used_bytes_max - pool->used_bytes)
                return NULL;

        if (order < ARENA_CLASSES && pool->free[order]) {
                block = pool->free[order];
                ASAN_UNPOISON_MEMORY_REGION(block, size);
                pool->free[order] = block->next;
                pool->kept_bytes -= size;
        } else {
                block = malloc(size);
                if (!block)
                        return NULL;
        }
        pool->used_bytes += size;
        if (actual_size)
                *actual_size = size;
        return block;
}

static void arena_block_give(struct arena_pool *pool, void *memory, size_t size)
{
        size_t class_size = size;
        unsigned int order = arena_class(&class_size);
        struct arena_block *block = memory;

        assert(size <= pool->used_bytes);
        pool->used_bytes -= size;
        if (order < ARENA_CLASSES && size <= pool->kept_bytes_max - pool->kept_bytes) {
                assert(size == class_size);
                ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
                block->next = pool->free[order];
                ASAN_POISON_MEMORY_REGION(block, size);
                pool->free[order] = block;
                pool->kept_bytes += size;
        } else {
                free(block);
        }
}

/*
 * upb's malloc, realloc and free in one. Arenas free with the size they were told, so blocks carry
 * no header of ours, and never reallocate.
 */
static void *arena_pool_function(
        upb_alloc *alloc, void *memory, size_t old_size, size_t size, size_t *actual_size)
{
        struct arena_pool *pool = (struct arena_pool *)alloc;

        if (!memory)
                return arena_block_take(pool, size, actual_size);
        assert(old_size > 0 && size == 0);
        arena_block_give(pool, memory, old_size);
        return NULL;
}

void arena_pool_init(struct arena_pool *pool, size_t kept_bytes_max, size_t used_bytes_max)
{
        *pool = (struct arena_pool){
                .alloc = { .func = arena_pool_function },
                .kept_bytes_max = kept_bytes_max,
                .used_bytes_max = used_bytes_max,
        };
}

void arena_pool_deinit(struct arena_pool *pool)
{
        assert(pool->used_bytes == 0);
        for (unsigned int order = 0; order < ARENA_CLASSES; order++) {
                while (pool->free[order]) {
                        struct arena_block *block = pool->free[order];

                        ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
                        pool->free[order] = block->next;
                        free(block);
                }
        }
        pool->kept_bytes = 0;
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
        ASAN_UNPOISON_MEMORY_REGION(arena->first, arena->first_bytes);
        arena->upb = upb_Arena_Init(arena->first, arena->first_bytes, arena_alloc(arena->pool));
        assert((void *)arena->upb == arena->first);
}

void arena_reset_if_worn(struct arena *arena)
{
        char *first = arena->first;
        char *top = upb_Arena_Malloc(arena->upb, 1);

        /* what is too large for a block has one of its own, and the first goes on */
        if (top < first || top > first + arena->first_bytes / 2 ||
                arena_grown_bytes(arena->upb) > 0)
                arena_reset(arena);
}

void arena_deinit(struct arena *arena)
{
        if (!arena->first)
                return;
        upb_Arena_Free(arena->upb);
        upb_free_sized(arena_alloc(arena->pool), arena->first, arena->first_bytes);
        *arena = (struct arena){};
}
