/* SPDX-License-Identifier: MIT */
#include "call/compression.h"

#include <errno.h>

#include "call/compressor.h"
#include "call/dialect.h"
#include "call/encoding.h"
#include "call/here.h"
#include "call/offload.h"
#include "call/work.h"
#include "codec/framing.h"

/* ---- the public functions ---- */

int quoit_call_set_compression(quoit_call *call, quoit_compression algorithm)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if (!compression_is_known(algorithm))
                return -EINVAL;
        if (call->handler.headers_asked || call->handler.finish_asked)
                return -EALREADY;
        if (algorithm == QUOIT_IDENTITY ? call->front && call->front->must_compress
                                        : !compression_has(call->exchange.accepted, algorithm))
                return -ENOTSUP;
        call->exchange.lent.compression = algorithm;
        return 0;
}

quoit_compression quoit_call_request_compression(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.lent.message_compression
                                            : QUOIT_IDENTITY;
}

quoit_compression quoit_call_compression(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.lent.compression : QUOIT_IDENTITY;
}

void quoit_call_set_message_compression(quoit_call *call, bool enabled)
{
        if (call_is_here(call, __func__))
                call->exchange.lent.sends_plain = !enabled;
}

/* ---- both ways ---- */

struct coders *call_coders(struct quoit_call *call)
{
        return call->offload ? offload_coders(call->offload) : &call_host_of(call)->coders;
}

/* ---- out ---- */

/* A client that takes no other answer has a short one compressed too; but no ring works on a long one for it. */
static bool is_worth_it(const struct quoit_call *call, size_t plain_bytes, bool must)
{
        const quoit_limits *limits = call_limits(call);

        return (must || plain_bytes >= limits->compress_bytes_min) &&
               (call->offload || plain_bytes <= limits->compress_ring_bytes_max);
}

void call_compress(struct quoit_call *call, struct encoding *encoding)
{
        size_t plain_bytes = encoding->size - FRAMING_PREFIX_BYTES;
        bool must = call->front && call->front->must_compress;
        uint64_t began_ns;

        if (plain_bytes == 0 || (call->exchange.lent.sends_plain && !must) ||
                !is_worth_it(call, plain_bytes, must))
                return;
        began_ns = work_begin(call);
        exchange_compress(&call->exchange, call_coders(call), encoding, must);
        work_end(call, began_ns);
}

/* ---- in ---- */

int call_decompress(struct quoit_call *call, struct reader_message *message, upb_Arena *arena)
{
        return exchange_decompress(&call->exchange, call_coders(call), message, arena);
}
