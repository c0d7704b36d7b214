/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A message on its way from the handler to the writer's queue. It is encoded backwards into a small buffer that
 * the caller gives, and if that is too small into blocks, which the queue takes over as they are.
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
        struct block *block; /* the last that was made, at the front */
        const uint8_t *data; /* the first byte */
        size_t size;
        struct encode_block small; /* its end is filled */
};

/*
 * Encodes @message with its prefix, into the WRITER_PLACE_BYTES_MAX bytes at @small if it fits; else into blocks from
 * @alloc, which must outlive them. Large strings that lie in the arena of @keeper (NULL: of none) stay there: it
 * must be kept, and they unchanged, until all is sent. 0, or an error of encode_framed() and nothing is left to
 * free. @encoding, uninitialized memory, must not move.
 */
int encoding_init(struct encoding *encoding, uint8_t *small, upb_alloc *alloc,
        struct exchange *keeper, const upb_Message *message, const upb_MiniTable *table,
        size_t bytes_max);

/* The same of @size bytes that are a message already: a copy. 0, or -ENOMEM and nothing is left to free. */
int encoding_init_bytes(struct encoding *encoding, uint8_t *small, upb_alloc *alloc,
        const void *bytes, size_t size);

/* Holds the @size bytes at @data, a framed message, instead: a copy. 0, or -ENOMEM and nothing changed. */
int encoding_replace(struct encoding *encoding, const uint8_t *data, size_t size);

/* The blocks go, unless they were taken: @first is NULL then. */
void encoding_free_blocks(struct encoding *encoding);
static inline void encoding_deinit(struct encoding *encoding)
{
        if (encoding->first)
                encoding_free_blocks(encoding);
}

/* Writes all bytes to @out. */
void encoding_copy(const struct encoding *encoding, uint8_t *out);
