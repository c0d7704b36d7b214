/* SPDX-License-Identifier: MIT */
#include "codec/encode_put.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

uint8_t *encode_fail(struct encoder *encoder, int error)
{
        if (!encoder->error)
                encoder->error = error;
        encoder->depth = INT_MIN / 2; /* stays below 0 while the levels above return */
        encoder->limit = encoder->sink + ENCODE_HEAD_BYTES_MAX;
        return encoder->sink + sizeof(encoder->sink);
}

uint8_t *encode_fail_text(struct encoder *encoder, uint32_t number)
{
        if (!encoder->error)
                encoder->field = number;
        return encode_fail(encoder, -EILSEQ);
}

void encode_note_table(struct encoder *encoder, const upb_MiniTable *table)
{
        if (!encoder->field_table)
                encoder->field_table = table;
}

/* Goes on in @block; @written bytes follow it. */
static uint8_t *encode_begin_block(
        struct encoder *encoder, struct encode_block block, size_t written)
{
        assert((size_t)(block.end - block.start) >= ENCODE_BLOCK_BYTES_MIN);
        encoder->limit = block.start + ENCODE_HEAD_BYTES_MAX;
        encoder->origin = (uintptr_t)block.end + written;
        return block.end;
}

uint8_t *encode_next_block(struct encoder *encoder, uint8_t *at, size_t size)
{
        size_t written = encode_written(encoder, at);
        struct encode_block block;

        if (encoder->error)
                return encode_fail(encoder, encoder->error);
        if (written + size > encoder->bytes_max)
                return encode_fail(encoder, -EMSGSIZE);
        block = encoder->on_full(encoder, at, size);
        if (!block.start)
                return encode_fail(encoder, -ENOMEM);
        return encode_begin_block(encoder, block, written);
}

/* NULL: they have to be copied. */
static uint8_t *encode_refer(struct encoder *encoder, uint8_t *at, const void *data, size_t size)
{
        size_t written = encode_written(encoder, at);
        struct encode_block block;

        if (encoder->error || !encoder->on_refer || size < ENCODE_REFER_BYTES_MIN)
                return NULL;
        block = encoder->on_refer(encoder, at, data, size);
        return block.start ? encode_begin_block(encoder, block, written + size) : NULL;
}

uint8_t *encode_bytes_across(struct encoder *encoder, uint8_t *at, const void *data, size_t size)
{
        uint8_t *referred;

        if (!encoder->error && encode_written(encoder, at) + size > encoder->bytes_max)
                return encode_fail(encoder, -EMSGSIZE);
        referred = encode_refer(encoder, at, data, size);
        if (referred)
                return referred;
        while (!encoder->error) {
                size_t room = (size_t)(at - encode_start(encoder));
                size_t piece = size < room ? size : room;

                at -= piece;
                size -= piece;
                if (piece > 0)
                        memcpy(at, (const uint8_t *)data + size, piece);
                if (size == 0)
                        break;
                at = encode_next_block(encoder, at, size);
        }
        return at;
}

uint8_t *encode_put_long_varint(uint8_t *at, uint64_t value)
{
        size_t highest_bit = (size_t)__builtin_clzll(value | 1) ^ 63;
        uint8_t *start = at - (highest_bit * 9 + 73) / 64,
                *p = start; /* a byte for each 7 bits begun */

        for (; value >= 0x80; value >>= 7)
                *p++ = (uint8_t)(value | 0x80);
        *p++ = (uint8_t)value;
        assert(p == at);
        return start;
}
