/* SPDX-License-Identifier: MIT */
#pragma once

/* One who encodes, with blocks of the worst kind. Tests and fuzz targets use it. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/encode.h"
#include "random.h"

struct block {
        struct block *behind;
        uint8_t *first; /* of what is filled */
        size_t size;
        uint8_t bytes[];
};

/* Blocks of random sizes, many of them as small as may be, each of its own: a byte too many is ASan's. */
struct owner {
        struct encoder encoder;
        uint64_t random;
        size_t block_bytes_max;
        size_t blocks_left;
        size_t bytes; /* of all blocks */
        struct block *last;
};

static inline struct encode_block owner_block(struct owner *owner)
{
        size_t size = ENCODE_BLOCK_BYTES_MIN +
                      random_upto(&owner->random, owner->block_bytes_max - ENCODE_BLOCK_BYTES_MIN);
        struct block *block = malloc(sizeof(*block) + size);

        assert(block);
        *block = (struct block){ .behind = owner->last, .size = size };
        owner->last = block;
        owner->bytes += size;
        return (struct encode_block){ block->bytes, block->bytes + size };
}

static inline struct encode_block owner_on_full(
        struct encoder *encoder, uint8_t *first, size_t bytes)
{
        struct owner *owner = (struct owner *)encoder;

        (void)bytes;
        owner->last->first = first;
        if (owner->blocks_left-- == 0)
                return (struct encode_block){ NULL, NULL };
        return owner_block(owner);
}

/* Frees the blocks; their bytes go to @out, unless that is NULL. */
static inline void owner_deinit(struct owner *owner, uint8_t *out)
{
        struct block *block;

        while ((block = owner->last)) {
                size_t filled = (size_t)(block->bytes + block->size - block->first);

                if (out) {
                        memcpy(out, block->first, filled);
                        out += filled;
                }
                owner->last = block->behind;
                free(block);
        }
}

/* encode_framed() of @message on blocks of up to @block_bytes_max; *ret_bytes is to be freed. */
static inline int owner_encode(struct owner *owner, const upb_Message *message,
        const upb_MiniTable *table, uint8_t **ret_bytes, size_t *ret_size)
{
        struct encode_block block = owner_block(owner);
        uint8_t *bytes = NULL, *first;
        int r;

        owner->last->first = block.end;
        owner->encoder.on_full = owner_on_full;
        r = encode_framed(&owner->encoder, block, message, table, &first, ret_size);
        if (r == 0) {
                owner->last->first = first;
                bytes = malloc(*ret_size);
                *ret_bytes = bytes;
        }
        owner_deinit(owner, bytes);
        return r;
}
