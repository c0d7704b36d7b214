/* SPDX-License-Identifier: MIT */
#include "call/compression.h"

#include <errno.h>
#include <string.h>

#include "call/encoding.h"
#include "call/here.h"
#include "call/offload.h"
#include "call/work.h"
#include "codec/coders.h"
#include "codec/framing.h"

/* ---- the public functions ---- */

int quoit_call_set_compression(quoit_call *call, quoit_compression algorithm)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if ((unsigned)algorithm > QUOIT_ZSTD)
                return -EINVAL;
        if (call->headers_asked || call->finish_asked)
                return -EALREADY;
        if (algorithm != QUOIT_IDENTITY && !compression_has(call->accepted, algorithm))
                return -ENOTSUP;
        call->compression = algorithm;
        return 0;
}

quoit_compression quoit_call_request_compression(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->request_compression : QUOIT_IDENTITY;
}

quoit_compression quoit_call_compression(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->compression : QUOIT_IDENTITY;
}

void quoit_call_set_message_compression(quoit_call *call, bool enabled)
{
        if (call_is_here(call, __func__))
                call->sends_plain = !enabled;
}

/* ---- both ways ---- */

static struct coders *coders_of(struct quoit_call *call)
{
        return call->offload ? offload_coders(call->offload) : &call->group->host->coders;
}

/* ---- out ---- */

static bool is_worth_it(const struct quoit_call *call, size_t plain_bytes)
{
        const quoit_limits *limits = call_limits(call);

        return plain_bytes >= limits->compress_bytes_min &&
               (call->offload || plain_bytes <= limits->compress_ring_bytes_max);
}

/* In one piece, without the prefix: where it is, or copied to @place. */
static const uint8_t *in_one_piece(const struct encoding *encoding, uint8_t *place)
{
        if (!encoding->first)
                return encoding->data + FRAMING_PREFIX_BYTES;
        encoding_copy(encoding, place);
        return place + FRAMING_PREFIX_BYTES;
}

void call_compress(struct quoit_call *call, struct encoding *encoding)
{
        size_t plain_bytes = encoding->size - FRAMING_PREFIX_BYTES;
        size_t size = plain_bytes - 1; /* or it does not pay */
        struct coders *coders = coders_of(call);
        uint8_t *memory;
        uint64_t began_ns;

        if (call->sends_plain || plain_bytes == 0 || !is_worth_it(call, plain_bytes))
                return;
        began_ns = work_begin(call);
        memory = coders_memory(coders, 2 * encoding->size);
        if (memory && coders_compress(coders, call->compression,
                              in_one_piece(encoding, memory + encoding->size), plain_bytes,
                              memory + FRAMING_PREFIX_BYTES, &size) == 0) {
                framing_write_prefix(memory, true, (uint32_t)size);
                encoding_replace(encoding, memory, FRAMING_PREFIX_BYTES + size);
        }
        coders_trim(coders);
        work_end(call, began_ns);
}

/* ---- in ---- */

int call_decompress(struct quoit_call *call, struct reader_message *message, upb_Arena *arena)
{
        size_t bytes_max = call->reader.framing.message_bytes_max;
        struct coders *coders = coders_of(call);
        const uint8_t *plain;
        uint8_t *copy = NULL;
        size_t size;
        int r = coders_decompress(coders, message->compression, message->data, message->size,
                bytes_max, &plain, &size);

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
