/* SPDX-License-Identifier: MIT */
#include "codec/large_blocks.h"

#include <stdint.h>

#include "codec/arena.h"

static void remember(struct large_blocks *large, upb_SizedPtr block)
{
        large->bytes += block.n;
        if (block.n < LARGE_BLOCK_BYTES_MIN)
                return;
        for (size_t i = 0; i < LARGE_BLOCKS_MAX; i++) {
                if (large->blocks[i].p)
                        continue;
                large->blocks[i] = block;
                return;
        }
}

static void forget(struct large_blocks *large, const void *block, size_t size)
{
        large->bytes -= size;
        for (size_t i = 0; i < LARGE_BLOCKS_MAX; i++)
                if (large->blocks[i].p == block)
                        large->blocks[i] = (upb_SizedPtr){ 0 };
}

static void *large_blocks_function(
        upb_alloc *alloc, void *memory, size_t old_size, size_t size, size_t *actual_size)
{
        struct large_blocks *large = (struct large_blocks *)alloc;
        upb_SizedPtr block;

        if (memory) {
                forget(large, memory, old_size);
                upb_free_sized(arena_pool_alloc(large->pool), memory, old_size);
                return NULL;
        }
        block = upb_SizeReturningMalloc(arena_pool_alloc(large->pool), size);
        if (block.p)
                remember(large, block);
        if (actual_size)
                *actual_size = block.n;
        return block.p;
}

void large_blocks_init(struct large_blocks *large, struct arena_pool *pool)
{
        *large = (struct large_blocks){ .alloc = { .func = large_blocks_function }, .pool = pool };
}

bool large_blocks_hold(const struct large_blocks *large, const void *data, size_t size)
{
        for (size_t i = 0; i < LARGE_BLOCKS_MAX; i++) {
                upb_SizedPtr block = large->blocks[i];
                uintptr_t offset = (uintptr_t)data - (uintptr_t)block.p;

                if (block.p && offset < block.n && size <= block.n - offset)
                        return true;
        }
        return false;
}
