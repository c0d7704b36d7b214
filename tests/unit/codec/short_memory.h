/* SPDX-License-Identifier: MIT */
#pragma once

/* A pool of arenas that has no more than some bytes, to see what becomes of those who want more. */

#include "codec/arena.h"

static size_t short_memory_bytes_max;
static upb_alloc_func *short_memory_inner;

static void *short_memory_function(
        upb_alloc *alloc, void *block, size_t old_size, size_t size, size_t *actual_size)
{
        if (!block &&
                arena_pool_used_bytes((struct arena_pool *)alloc) + size > short_memory_bytes_max)
                return NULL;
        return short_memory_inner(alloc, block, old_size, size, actual_size);
}

/* From now on @pool lends out @bytes_max in all. One pool at a time. */
static inline void short_memory_begin(struct arena_pool *pool, size_t bytes_max)
{
        short_memory_inner = pool->alloc.func;
        short_memory_bytes_max = bytes_max;
        pool->alloc.func = short_memory_function;
}

static inline void short_memory_end(struct arena_pool *pool)
{
        pool->alloc.func = short_memory_inner;
}
