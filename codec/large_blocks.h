/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A layer between an arena and its pool that remembers the arena's large blocks: bytes in one of them live as long as the
 * arena, so they can be sent from there. upb itself has no way to ask.
 */

#include <stdbool.h>
#include <stddef.h>

#include "upb/mem/alloc.h"

struct arena_pool;

/* Smaller blocks are not remembered, and at most two larger ones are. */
#define LARGE_BLOCK_BYTES_MIN ((size_t)16 << 10)
#define LARGE_BLOCKS_MAX 2

/* Embedded next to the arena; outlives it, and must not move. */
struct large_blocks {
        upb_alloc alloc; /* the arena's allocator; first member: upb passes its address back */
        struct arena_pool *pool;
        upb_SizedPtr blocks[LARGE_BLOCKS_MAX];
        size_t bytes; /* of all blocks of the arena, small ones too */
};

void large_blocks_init(struct large_blocks *large, struct arena_pool *pool);

/* Whether these bytes lie in one of the arena's. */
bool large_blocks_hold(const struct large_blocks *large, const void *data, size_t size);
