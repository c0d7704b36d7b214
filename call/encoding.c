/* SPDX-License-Identifier: MIT */
#include "call/encoding.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "call/exchange.h"
#include "codec/arena.h"

#define BLOCK_BYTES_MIN ((size_t)4096)
#define REFER_SHARE 4 /* only bytes that are at least a quarter of their arena are referred to */

/* Bytes of a large message, filled from the end. */
struct block {
        struct segment segment;
        upb_alloc *alloc;
        size_t block_bytes; /* this head included */
        uint8_t bytes[];
};

static void release_block(struct exchange *exchange, struct segment *segment)
{
        struct block *block = (struct block *)segment;

        (void)exchange;
        upb_free_sized(block->alloc, block, block->block_bytes);
}

/* Twice as large as @behind, or larger if @size needs it and is not too much at once. */
static struct block *block_new(upb_alloc *alloc, const struct block *behind, size_t size)
{
        size_t want = behind ? behind->block_bytes * 2 : BLOCK_BYTES_MIN;
        upb_SizedPtr memory;
        struct block *block;

        if (want < sizeof(*block) + size)
                want = sizeof(*block) + size;
        if (want > ARENA_BLOCK_BYTES_MAX)
                want = ARENA_BLOCK_BYTES_MAX;
        memory = upb_SizeReturningMalloc(alloc, want);
        block = memory.p;
        if (block)
                *block = (struct block){
                        .segment.release = release_block, .alloc = alloc, .block_bytes = memory.n
                };
        return block;
}

static uint8_t *block_end(struct block *block)
{
        return (uint8_t *)block + block->block_bytes;
}

/* The first block is complete: from @data to its end. */
static void block_close(struct encoding *encoding, const uint8_t *data)
{
        encoding->block->segment.data = data;
        encoding->block->segment.size = (size_t)(block_end(encoding->block) - data);
}

static void prepend(struct encoding *encoding, struct segment *segment)
{
        segment->next = encoding->first;
        encoding->first = segment;
}

static struct encode_block on_full(struct encoder *encoder, uint8_t *first, size_t bytes)
{
        struct encoding *encoding = (struct encoding *)encoder;
        struct block *behind = encoding->block;
        size_t moved = behind ? 0 : (size_t)(encoding->small.end - first);
        struct block *block = block_new(encoding->alloc, behind, bytes + moved);
        uint8_t *end;

        if (!block)
                return (struct encode_block){ NULL, NULL };
        end = block_end(block) - moved;
        if (behind)
                block_close(encoding, first);
        else if (moved > 0)
                memcpy(end, first, moved);
        encoding->block = block;
        prepend(encoding, &block->segment);
        return (struct encode_block){ block->bytes, end };
}

/* Queued bytes that are referred to keep all of their arena: not worth it for a small part of the arena. */
static bool may_refer(const struct encoding *encoding, const void *data, size_t size)
{
        const struct large_blocks *large = &encoding->keeper->lent.large;

        return size >= large->bytes / REFER_SHARE && large_blocks_hold(large, data, size);
}

/* Puts the bytes so far, down to @first, into a block and closes it. False: memory is short. */
static bool close_so_far(struct encoding *encoding, uint8_t *first)
{
        if (!encoding->block && first != encoding->small.end) {
                first = on_full(&encoding->encoder, first, 0).end;
                if (!first)
                        return false;
        }
        if (encoding->block)
                block_close(encoding, first);
        return true;
}

static struct encode_block on_refer(
        struct encoder *encoder, uint8_t *first, const void *data, size_t size)
{
        struct encoding *encoding = (struct encoding *)encoder;
        struct segment *segment;
        struct block *block;

        if (!may_refer(encoding, data, size) ||
                (encoding->block && first == block_end(encoding->block)))
                return (struct encode_block){ NULL, NULL };
        segment = upb_Arena_Malloc(encoding->keeper->lent.arena.upb, sizeof(*segment));
        block = segment ? block_new(encoding->alloc, NULL, 0) : NULL;
        if (!block || !close_so_far(encoding, first)) {
                if (block)
                        release_block(NULL, &block->segment);
                return (struct encode_block){ NULL, NULL };
        }
        *segment =
                (struct segment){ .data = data, .size = size, .release = writer_release_nothing };
        prepend(encoding, segment);
        prepend(encoding, &block->segment);
        encoding->block = block;
        return (struct encode_block){ block->bytes, block_end(block) };
}

int encoding_init(struct encoding *encoding, uint8_t *small, upb_alloc *alloc,
        struct exchange *keeper, const upb_Message *message, const upb_MiniTable *table,
        size_t bytes_max)
{
        uint8_t *first;
        int r;

        encoding->encoder.bytes_max = bytes_max;
        encoding->encoder.on_full = on_full;
        encoding->encoder.on_refer = keeper ? on_refer : NULL;
        encoding->small = (struct encode_block){ small, small + WRITER_PLACE_BYTES_MAX };
        encoding->alloc = alloc;
        encoding->keeper = keeper;
        encoding->first = NULL;
        encoding->block = NULL;
        r = encode_framed(
                &encoding->encoder, encoding->small, message, table, &first, &encoding->size);
        if (r < 0) {
                encoding_deinit(encoding);
                return r;
        }
        encoding->data = first;
        if (encoding->first)
                block_close(encoding, first);
        return 0;
}

void encoding_free_blocks(struct encoding *encoding)
{
        struct segment *segment;

        while ((segment = encoding->first)) {
                encoding->first = segment->next;
                segment->release(NULL, segment);
        }
}

/* A block of exactly that size, without the size limit of block_new(). */
static struct block *block_of_size(upb_alloc *alloc, size_t size)
{
        upb_SizedPtr memory = upb_SizeReturningMalloc(alloc, sizeof(struct block) + size);
        struct block *block = memory.p;

        if (!block)
                return NULL;
        *block = (struct block){
                .segment.release = release_block, .alloc = alloc, .block_bytes = memory.n
        };
        return block;
}

/* Makes room for @size framed bytes in the small buffer or a block. Returns it; NULL: memory is short, and nothing changed. */
static uint8_t *place(struct encoding *encoding, size_t size)
{
        bool is_small = size <= WRITER_PLACE_BYTES_MAX;
        struct block *block = is_small ? NULL : block_of_size(encoding->alloc, size);
        uint8_t *data;

        if (!is_small && !block)
                return NULL;
        encoding_free_blocks(encoding);
        data = (is_small ? encoding->small.end : block_end(block)) - size;
        encoding->size = size;
        encoding->block = block;
        encoding->data = data;
        if (block) {
                encoding->first = &block->segment;
                block_close(encoding, data);
        }
        return data;
}

int encoding_init_bytes(
        struct encoding *encoding, uint8_t *small, upb_alloc *alloc, const void *bytes, size_t size)
{
        uint8_t *data;

        *encoding = (struct encoding){ .alloc = alloc,
                .small = { small, small + WRITER_PLACE_BYTES_MAX } };
        data = place(encoding, FRAMING_PREFIX_BYTES + size);
        if (!data)
                return -ENOMEM;
        framing_write_prefix(data, false, (uint32_t)size);
        if (size > 0)
                memcpy(data + FRAMING_PREFIX_BYTES, bytes, size);
        return 0;
}

int encoding_replace(struct encoding *encoding, const uint8_t *data, size_t size)
{
        uint8_t *to = place(encoding, size);

        if (!to)
                return -ENOMEM;
        memcpy(to, data, size);
        return 0;
}

void encoding_copy(const struct encoding *encoding, uint8_t *out)
{
        if (!encoding->first)
                memcpy(out, encoding->data, encoding->size);
        for (const struct segment *segment = encoding->first; segment; segment = segment->next) {
                memcpy(out, segment->data, segment->size);
                out += segment->size;
        }
}
