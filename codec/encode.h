/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/*
 * The encoder: upb messages to bytes, by upb's tables. Its bytes are those of upb_Encode() without
 * options, for every message.
 *
 * Like upb it writes backwards, from a message's last byte to its first: so each length is known when it is needed, and one
 * pass is enough. The difference is where it writes. upb grows one buffer, and copies at each step. This encoder gets further
 * blocks of memory from its owner and goes on at the end of each, so written bytes stay where they are and can be sent from
 * there. A block's last byte is followed, in the message, by the first byte of the block before it.
 */

/* The smallest block: a tag and the longest varint. */
#define ENCODE_BLOCK_BYTES_MIN ((size_t)16)

/* Below this it is faster to copy bytes than to refer to them. */
#define ENCODE_REFER_BYTES_MIN ((size_t)16 << 10)

struct encode_block {
        uint8_t *start; /* NULL: memory is short */
        uint8_t *end;
};

struct encoder {
        uint8_t *limit;   /* below it the block has no room for a head */
        uintptr_t
                origin; /* minus the address of the first byte written it is the number of bytes written */
        size_t bytes_max;
        int depth; /* how many more levels of messages are allowed */
        uint32_t field; /* for -EILSEQ and -EINVAL: the field's number, ... */
        const upb_MiniTable *field_table; /* ... in messages of this type */
        int error; /* once set, output goes to @sink, which is not used */
        /*
         * Returns a block of at least ENCODE_BLOCK_BYTES_MIN bytes; @bytes will be written next, and more after that. The
         * current block holds encoded bytes from @first to its end.
         */
        struct encode_block (*on_full)(struct encoder *encoder, uint8_t *first, size_t bytes);
        /*
         * Can be NULL. Called for @size bytes at @data, at least ENCODE_REFER_BYTES_MIN, that do not fit the block. If they can
         * stay where they are, in front of @first, it returns a block for the bytes before them, as on_full() does. If @start
         * is NULL they are copied.
         */
        struct encode_block (*on_refer)(
                struct encoder *encoder, uint8_t *first, const void *data, size_t size);
        uint8_t sink[2 * ENCODE_BLOCK_BYTES_MIN];
};

/*
 * Encodes @message, of type @table, with the prefix of an uncompressed gRPC message in front. Begins with @block. The encoder
 * is embedded in its owner, which casts it in on_full(). *ret_first is the first byte in the last block. *ret_size counts the
 * prefix; @bytes_max does not.
 *
 * Returns 0, or
 *   -EMSGSIZE  more than @bytes_max or INT32_MAX bytes; no block was asked for beyond them
 *   -EINVAL    a required field (proto2) is not set; the encoder has which
 *   -E2BIG     nested deeper than MESSAGE_DEPTH_MAX
 *   -EILSEQ    text is not UTF-8, in a field where the .proto file requires it (proto3 always); the encoder has which
 *   -ENOMEM    on_full() had no block
 */
int encode_framed(struct encoder *encoder, struct encode_block block, const upb_Message *message,
        const upb_MiniTable *table, uint8_t **ret_first, size_t *ret_size);
