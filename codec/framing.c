/* SPDX-License-Identifier: MIT */
#include "codec/framing.h"

#include <errno.h>
#include <string.h>

static size_t min_size(size_t a, size_t b)
{
        return a < b ? a : b;
}

void framing_init(struct framing *framing, size_t message_bytes_max)
{
        *framing = (struct framing){ .message_bytes_max = message_bytes_max };
}

size_t framing_scan(
        const struct framing *framing, const uint8_t *data, size_t size, uint32_t *ret_count)
{
        uint32_t count = 0;
        size_t at = 0;

        while (size - at >= FRAMING_PREFIX_BYTES && data[at] == 0) {
                size_t body = framing_read_size(data + at);

                if (body > framing->message_bytes_max || body > size - at - FRAMING_PREFIX_BYTES)
                        break;
                at += FRAMING_PREFIX_BYTES + body;
                count++;
        }
        *ret_count = count;
        return at;
}

/* 1 if the prefix is sound. */
static int framing_parse_prefix(struct framing *framing, const uint8_t *prefix)
{
        framing->prefix_size = FRAMING_PREFIX_BYTES;
        framing->compressed = prefix[0];
        framing->declared = framing_read_size(prefix);
        if (prefix[0] > 1)
                return -EPROTO;
        return framing->declared > framing->message_bytes_max ? -EMSGSIZE : 1;
}

/*
 * 1 once the prefix is whole and sound. Only a prefix that comes in pieces, which is rare, is
 * copied.
 */
static int framing_feed_prefix(struct framing *framing, const uint8_t **data, size_t *size)
{
        size_t n = min_size(FRAMING_PREFIX_BYTES - framing->prefix_size, *size);
        const uint8_t *piece = *data;

        *data += n;
        *size -= n;
        if (n == FRAMING_PREFIX_BYTES)
                return framing_parse_prefix(framing, piece);
        if (n)
                memcpy(framing->prefix + framing->prefix_size, piece, n);
        framing->prefix_size += (uint8_t)n;
        if (framing->prefix_size < FRAMING_PREFIX_BYTES)
                return 0;
        return framing_parse_prefix(framing, framing->prefix);
}

/* Collects the message; 1 once it is whole. */
static int framing_feed_body(
        struct framing *framing, upb_Arena *arena, const uint8_t **data, size_t *size)
{
        size_t n = min_size(framing->declared - framing->body_size, *size);

        if (n) {
                if (!framing->body)
                        framing->body = upb_Arena_Malloc(arena, framing->declared);
                if (!framing->body)
                        return -ENOMEM;
                memcpy(framing->body + framing->body_size, *data, n);
                framing->body_size += n;
                *data += n;
                *size -= n;
        }
        return framing->body_size == framing->declared;
}

/* Room for @size bytes: at least twice as much as before, so that a body that comes in pieces is copied a few times at most. */
static int framing_grow(struct framing *framing, upb_Arena *arena, size_t size)
{
        size_t room = (size_t)framing->declared * 2;
        uint8_t *body;

        if (room < size)
                room = size;
        if (room > framing->message_bytes_max)
                room = framing->message_bytes_max;
        if (room > UINT32_MAX)
                room = UINT32_MAX;
        if (room < size)
                return -EMSGSIZE;
        body = framing->body ? upb_Arena_Realloc(arena, framing->body, framing->declared, room)
                             : upb_Arena_Malloc(arena, room);
        if (!body)
                return -ENOMEM;
        framing->body = body;
        framing->declared = (uint32_t)room;
        return 0;
}

int framing_collect(struct framing *framing, upb_Arena *arena, const uint8_t *data, size_t size,
        size_t expected)
{
        size_t whole = framing->body_size + size;
        size_t room = framing_reserved(framing);
        int r = 0;

        if (whole > framing->message_bytes_max || expected > framing->message_bytes_max)
                return -EMSGSIZE;
        if (whole > room)
                r = framing_grow(framing, arena, whole < expected ? expected : whole);
        if (r < 0 || size == 0)
                return r;
        memcpy(framing->body + framing->body_size, data, size);
        framing->body_size = whole;
        return 0;
}

void framing_collected(
        struct framing *framing, bool compressed, struct framing_message *ret_message)
{
        *ret_message = (struct framing_message){
                .data = framing->body ? framing->body : (const uint8_t *)"",
                .size = framing->body_size,
                .compressed = compressed && framing->body_size > 0,
        };
        framing->declared = 0;
        framing->body = NULL;
        framing->body_size = 0;
}

int framing_feed(struct framing *framing, upb_Arena *arena, const uint8_t **data, size_t *size,
        struct framing_message *ret_message)
{
        int r;

        if (framing->prefix_size < FRAMING_PREFIX_BYTES) {
                r = framing_feed_prefix(framing, data, size);
                if (r <= 0)
                        return r;
        }
        r = framing_feed_body(framing, arena, data, size);
        if (r <= 0)
                return r;

        *ret_message = (struct framing_message){
                .data = framing->body ? framing->body : (const uint8_t *)"",
                .size = framing->body_size,
                .compressed = framing->compressed,
        };
        framing->prefix_size = 0;
        framing->body = NULL;
        framing->body_size = 0;
        return 1;
}
