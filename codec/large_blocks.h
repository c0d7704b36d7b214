/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What stands between an arena and its pool where it matters which large blocks are the arena's: bytes
 * that lie in one live as long as the arena does, so they can be sent from there. upb itself does not tell.
 */

#include <stdbool.h>
#include <stddef.h>

#include "upb/mem/alloc.h"

struct arena_pool;

/* Smaller ones are not remembered, and neither is a third. */
#define LARGE_BLOCK_BYTES_MIN ((size_t)16 << 10)
#define LARGE_BLOCKS_MAX 2

/* Embedded beside the arena, outlives it, and must not move. */
struct large_blocks {
        upb_alloc alloc; /* what the arena allocates from; first: upb hands its address back */
        struct arena_pool *pool;
        upb_SizedPtr blocks[LARGE_BLOCKS_MAX];
        size_t bytes; /* of all the blocks that the arena has, small ones too */
};

void large_blocks_init(struct large_blocks *large, struct arena_pool *pool);

/* Whether these bytes lie in one of the arena's. */
bool large_blocks_hold(const struct large_blocks *large, const void *data, size_t size);
