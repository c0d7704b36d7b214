/* SPDX-License-Identifier: MIT */
#include "front/last_piece.h"

#include "call/response.h"
#include "front/text.h"

void last_piece_send(
        struct quoit_call *call, const struct dialect_end *end, const struct text *piece)
{
        if (!call->ring.headers_submitted)
                response_submit_headers(call, end->headers);
        if (piece->failed ||
                (piece->size > 0 && dialect_append(call, piece->data, piece->size) < 0))
                response_reset(call, QUOIT_INTERNAL);
        stream_resume(&call->exchange.stream);
}
