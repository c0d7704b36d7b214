/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A message on its way from the handler to the writer's queue. It is encoded backwards into a small buffer of the
 * caller. If that is too small it is encoded into blocks, which the queue takes over as they are.
 */

#include <stddef.h>
#include <stdint.h>

#include "call/writer.h"
#include "codec/encode.h"
#include "upb/mem/alloc.h"

struct block;

struct encoding {
        struct encoder encoder;
        upb_alloc *alloc;
        struct exchange *keeper;
        /* blocks, and strings where they lie, in the order of the bytes; NULL: all is in @small */
        struct segment *first;
        struct block *block; /* the newest one; it holds the front of the message */
        const uint8_t *data; /* the first byte */
        size_t size;
        struct encode_block small; /* its end is filled */
};

/*
 * Encodes @message with its prefix, into the WRITER_PLACE_BYTES_MAX bytes at @small if it fits; else into blocks from
 * @alloc, which must outlive them. Large strings in the arena of @keeper (may be NULL) are not copied: the arena must
 * stay, and the strings unchanged, until all is sent. 0, or an error of encode_framed() and nothing is left to
 * free. @encoding is uninitialized memory; it must not move.
 */
int encoding_init(struct encoding *encoding, uint8_t *small, upb_alloc *alloc,
        struct exchange *keeper, const upb_Message *message, const upb_MiniTable *table,
        size_t bytes_max);

/* The same for the @size bytes of a message that is encoded already: a copy. 0, or -ENOMEM and nothing is left to free. */
int encoding_init_bytes(struct encoding *encoding, uint8_t *small, upb_alloc *alloc,
        const void *bytes, size_t size);

/* Replaces the message by a copy of the @size bytes at @data, which are framed. 0, or -ENOMEM and nothing changed. */
int encoding_replace(struct encoding *encoding, const uint8_t *data, size_t size);

/* Frees the blocks that the queue has not taken over: after that @first is NULL. */
void encoding_free_blocks(struct encoding *encoding);
static inline void encoding_deinit(struct encoding *encoding)
{
        if (encoding->first)
                encoding_free_blocks(encoding);
}

/* Writes all bytes to @out. */
void encoding_copy(const struct encoding *encoding, uint8_t *out);
