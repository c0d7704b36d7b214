/* SPDX-License-Identifier: MIT */
#include "call/compressor.h"

#include <errno.h>
#include <string.h>

#include "call/encoding.h"
#include "codec/coders.h"
#include "codec/framing.h"

#define GROWTH(bytes) (128 + (bytes) / 128) /* of what cannot be compressed, at most */

/* The message in one piece, without the prefix: where it is, or copied to @place. */
static const uint8_t *in_one_piece(const struct encoding *encoding, uint8_t *place)
{
        if (!encoding->first)
                return encoding->data + FRAMING_PREFIX_BYTES;
        encoding_copy(encoding, place);
        return place + FRAMING_PREFIX_BYTES;
}

void exchange_compress(const struct exchange *exchange, struct coders *coders,
        struct encoding *encoding, bool may_grow)
{
        size_t plain_bytes = encoding->size - FRAMING_PREFIX_BYTES;
        size_t size = may_grow ? plain_bytes + GROWTH(plain_bytes) : plain_bytes - 1;
        size_t room = FRAMING_PREFIX_BYTES + size;
        uint8_t *memory = coders_memory(coders, room + encoding->size);

        if (memory && coders_compress(coders, exchange->lent.compression,
                              in_one_piece(encoding, memory + room), plain_bytes,
                              memory + FRAMING_PREFIX_BYTES, &size) == 0) {
                framing_write_prefix(memory, true, (uint32_t)size);
                encoding_replace(encoding, memory, FRAMING_PREFIX_BYTES + size);
        }
        coders_trim(coders);
}

int exchange_decompress(const struct exchange *exchange, struct coders *coders,
        struct reader_message *message, upb_Arena *arena)
{
        const uint8_t *plain;
        uint8_t *copy = NULL;
        size_t size;
        int r = coders_decompress(coders, message->compression, message->data, message->size,
                exchange->message_bytes_max, &plain, &size);

        if (r == 0) {
                copy = upb_Arena_Malloc(arena, size);
                r = copy ? 0 : -ENOMEM;
        }
        if (copy) {
                memcpy(copy, plain, size);
                message->data = copy;
                message->size = size;
                message->compression = QUOIT_IDENTITY;
        }
        coders_trim(coders);
        return r;
}
