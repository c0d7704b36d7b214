/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The primitives of the encoder: each function writes in front of @at and returns the begin of its output. A `put` needs room,
 * made by encode_room(); ENCODE_HEAD_BYTES_MAX is enough for a head.
 */

#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codec/copy.h"
#include "codec/encode.h"
#include "codec/encode_value.h"
#include "codec/utf8.h"
#include "upb/wire/types.h"

#define ENCODE_HEAD_BYTES_MAX ((size_t)15)
static_assert(ENCODE_HEAD_BYTES_MAX <= ENCODE_BLOCK_BYTES_MIN, "a block holds a head");

/* Gives up: from here on output is discarded, and no further message is entered. */
uint8_t *encode_fail(struct encoder *encoder, int error);

/* Goes on to the next block. @size: the bytes that are known to follow. */
uint8_t *encode_next_block(struct encoder *encoder, uint8_t *at, size_t size);

/*
 * Bytes that do not fit the block: the output refers to them if the owner allows it; otherwise they fill this block and further
 * ones.
 */
uint8_t *encode_bytes_across(struct encoder *encoder, uint8_t *at, const void *data, size_t size);

/* encode_fail() for a string of the field @number; encode_leave() tells of which message. */
uint8_t *encode_fail_text(struct encoder *encoder, uint32_t number);

/* A message with @table, or an entry of a map, is left while there is an error. */
void encode_note_table(struct encoder *encoder, const upb_MiniTable *table);

/* A level up: all of a message with @table, or of a map with such entries, is written. */
ENCODE_INLINE void encode_leave(struct encoder *encoder, const upb_MiniTable *table)
{
        if (!ENCODE_LIKELY(++encoder->depth > 0))
                encode_note_table(encoder, table);
}

/* Varints of any length. */
uint8_t *encode_put_long_varint(uint8_t *at, uint64_t value);

/* ---- where we are ---- */

/* How many bytes have been written in all, those before @at. */
ENCODE_INLINE size_t encode_written(const struct encoder *encoder, const uint8_t *at)
{
        return encoder->origin - (uintptr_t)at;
}

/* The first byte of the block. */
ENCODE_INLINE uint8_t *encode_start(const struct encoder *encoder)
{
        return encoder->limit - ENCODE_HEAD_BYTES_MAX;
}

/* Makes room for a head. */
ENCODE_INLINE uint8_t *encode_room(struct encoder *encoder, uint8_t *at)
{
        return ENCODE_LIKELY(at >= encoder->limit) ? at : encode_next_block(encoder, at, 0);
}

/* ---- writing ---- */

ENCODE_INLINE uint8_t *encode_put_fixed32(uint8_t *at, uint32_t value)
{
        value = htole32(value);
        return memcpy(at - sizeof(value), &value, sizeof(value));
}

ENCODE_INLINE uint8_t *encode_put_fixed64(uint8_t *at, uint64_t value)
{
        value = htole64(value);
        return memcpy(at - sizeof(value), &value, sizeof(value));
}

ENCODE_INLINE uint8_t *encode_put_two(uint8_t *at, uint32_t first, uint32_t second)
{
        uint16_t both = htole16((uint16_t)(first | second << 8));

        return memcpy(at - sizeof(both), &both, sizeof(both));
}

ENCODE_INLINE uint8_t *encode_put_varint(uint8_t *at, uint64_t value)
{
        if (ENCODE_LIKELY(value < 1 << 7)) {
                *--at = (uint8_t)value;
                return at;
        }
        if (ENCODE_LIKELY(value < 1 << 14))
                return encode_put_two(at, ((uint32_t)value & 0x7f) | 0x80, (uint32_t)value >> 7);
        return encode_put_long_varint(at, value);
}

ENCODE_INLINE uint8_t *encode_put_tag(uint8_t *at, uint32_t number, upb_WireType wire_type)
{
        return encode_put_varint(at, number << 3 | (uint32_t)wire_type);
}

/* A tag and the varint behind it: a number's value, or a length. */
ENCODE_INLINE uint8_t *encode_put_head(
        uint8_t *at, uint32_t number, upb_WireType wire_type, uint64_t value)
{
        if (ENCODE_LIKELY((value | number << 3) < 1 << 7))
                return encode_put_two(at, number << 3 | (uint32_t)wire_type, (uint32_t)value);
        at = encode_put_varint(at, value);
        return encode_put_tag(at, number, wire_type);
}

/* Writes the bytes of the field @number, and makes room for their head. @is_text: they must be UTF-8. */
ENCODE_INLINE uint8_t *encode_bytes(struct encoder *encoder, uint8_t *at, uint32_t number,
        const void *data, size_t size, bool is_text)
{
        bool is_ascii = false;

        if (ENCODE_LIKELY(at - encoder->limit >= (ptrdiff_t)size)) {
                at -= size;
                is_ascii = copy_short(at, data, size);
        } else {
                at = encode_bytes_across(encoder, at, data, size);
                at = encode_room(encoder, at);
        }
        if (is_text && !ENCODE_LIKELY(is_ascii) && !utf8_is_valid(data, size))
                return encode_fail_text(encoder, number);
        return at;
}
