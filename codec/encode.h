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
 * It writes backwards, from a message's last byte to its first, as upb's does: a length is known when it
 * is due, and one pass is enough. What differs is where it writes. upb's grows one buffer, and copies at
 * each step; this one asks its owner for a further block of memory and goes on at that one's end, so
 * what has been written stays where it is and may be sent from there. A block's last byte is followed,
 * in the message, by the first byte of the block before it.
 */

/* Every block holds at least so much: a tag and the longest varint. */
#define ENCODE_BLOCK_BYTES_MIN ((size_t)16)

/* Fewer bytes are copied sooner than they are referred to. */
#define ENCODE_REFER_BYTES_MIN ((size_t)16 << 10)

struct encode_block {
        uint8_t *start; /* NULL: memory is short */
        uint8_t *end;
};

struct encoder {
        uint8_t *limit;   /* below it the block has no room for a head any more */
        uintptr_t
                origin; /* minus the address of the first byte written: the bytes written in all */
        size_t bytes_max;
        int depth; /* how many levels of messages there may still be */
        uint32_t
                field; /* of -EILSEQ: its number, in the message at hand or one that is nested in it */
        int error; /* once set, what is written goes to @sink, of which nobody asks */
        /*
         * Gives a block of at least ENCODE_BLOCK_BYTES_MIN bytes; @bytes are about to be written, and
         * more will come. The block so far holds its owner's bytes from @first to its end.
         */
        struct encode_block (*on_full)(struct encoder *encoder, uint8_t *first, size_t bytes);
        /*
         * NULL, or asked about @size bytes at @data, ENCODE_REFER_BYTES_MIN and more, that would not fit the
         * block: if they may stay where they are and come next, in front of @first, it gives a block for what
         * comes before them, as on_full() does. With @start NULL they are copied.
         */
        struct encode_block (*on_refer)(
                struct encoder *encoder, uint8_t *first, const void *data, size_t size);
        uint8_t sink[2 * ENCODE_BLOCK_BYTES_MIN];
};

/*
 * Encodes @message, of type @table, with the prefix of an uncompressed gRPC message in front. Begins with
 * @block and embeds in its owner, who casts it in on_full(). *ret_first is the first byte in the last block.
 * *ret_size counts the prefix; @bytes_max does not.
 *
 * Returns 0, or
 *   -EMSGSIZE  more than @bytes_max or INT32_MAX bytes; no block was asked for beyond them
 *   -EINVAL    a required field (proto2) is not set
 *   -E2BIG     nested deeper than MESSAGE_DEPTH_MAX
 *   -EILSEQ    text is not UTF-8, in a field where the .proto file wants that (proto3 always)
 *   -ENOMEM    on_full() had no block
 */
int encode_framed(struct encoder *encoder, struct encode_block block, const upb_Message *message,
        const upb_MiniTable *table, uint8_t **ret_first, size_t *ret_size);
