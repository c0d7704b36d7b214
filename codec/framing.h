/* SPDX-License-Identifier: MIT */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "upb/mem/arena.h"

/*
 * gRPC's length-prefixed messages: one byte of flags (0, or 1 for compressed), four bytes of length in network order, the
 * message. The reader takes a stream's bytes in pieces of any size.
 */
#define FRAMING_PREFIX_BYTES 5

struct framing_message {
        const uint8_t *data; /* lives in the arena; never NULL, even if empty */
        size_t size;
        bool compressed;
};

struct framing {
        size_t message_bytes_max;
        uint8_t *body; /* the message in progress, in the arena; NULL while none has begun */
        size_t body_size;
        uint32_t declared; /* the message's length, once the prefix is whole */
        bool compressed;   /* likewise */
        uint8_t prefix_size;
        uint8_t prefix[FRAMING_PREFIX_BYTES];
};

/*
 * @message_bytes_max: a message that declares more is refused. There is no deinit, the arena owns
 * the memory.
 */
void framing_init(struct framing *framing, size_t message_bytes_max);

/*
 * Reads from [*data, *data + *size) and moves both past what was read.
 *
 * Returns 1 when a message is complete: it is in *ret_message, and lives as long as @arena; call
 * again, there may be more. 0 when everything was read and no message is complete. Else an error
 * that is fatal to the stream, after which the reader must not be fed again:
 *   -EMSGSIZE  the declared length is over the limit (nothing was allocated)
 *   -EPROTO    a flag other than 0 and 1
 *   -ENOMEM    the arena can't grow
 *
 * @arena must be the same from a message's first byte to its last, and may change (or be reset) at any boundary. A message
 * costs one exact allocation, when its first byte arrives, and one copy: bytes that never arrive cost address space, not
 * memory. framing_reserved() returns how much, so that the caller can limit it.
 */
int framing_feed(struct framing *framing, upb_Arena *arena, const uint8_t **data, size_t *size,
        struct framing_message *ret_message);

/*
 * How many bytes of @data are whole messages behind one another, uncompressed and within the limit, with their prefixes; *@ret_count:
 * how many messages. They need no framing_feed(): whoever keeps the bytes can take them message by message. What is behind them does:
 * a message that is compressed, not whole or refused. Only between two messages; it changes nothing.
 */
size_t framing_scan(
        const struct framing *framing, const uint8_t *data, size_t size, uint32_t *ret_count);

/*
 * The same for a body without prefixes, all of which is one message: collects @size bytes of it. @expected is how many it will have;
 * 0: not known. 0; -EMSGSIZE: it has, or will have, more than a message may; -ENOMEM.
 */
int framing_collect(struct framing *framing, upb_Arena *arena, const uint8_t *data, size_t size,
        size_t expected);

/* The body is whole. Its message lives as long as the arena. */
void framing_collected(
        struct framing *framing, bool compressed, struct framing_message *ret_message);

/* Whether the reader stands between two messages; the end of a stream anywhere else is an error. */
static inline bool framing_idle(const struct framing *framing)
{
        return framing->prefix_size == 0;
}

/* Bytes in the arena for the message in progress. */
static inline size_t framing_reserved(const struct framing *framing)
{
        return framing->body ? framing->declared : 0;
}

/* Writes the prefix of a message of @size bytes. */
static inline void framing_write_prefix(
        uint8_t out[FRAMING_PREFIX_BYTES], bool compressed, uint32_t size)
{
        size = htobe32(size);
        out[0] = compressed;
        memcpy(out + 1, &size, sizeof(size));
}

/* The size of the message behind @prefix. */
static inline uint32_t framing_read_size(const uint8_t prefix[FRAMING_PREFIX_BYTES])
{
        uint32_t size;

        memcpy(&size, prefix + 1, sizeof(size)); /* behind the byte of flags */
        return be32toh(size);
}
