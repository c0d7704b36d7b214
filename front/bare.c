/* SPDX-License-Identifier: MIT */
#include "front/bare.h"

#include <stdlib.h>

#include "call/encoding.h"
#include "call/field_block.h"
#include "call/response.h"
#include "codec/framing.h"
#include "codec/number.h"
#include "front/text.h"

/* ---- the request ---- */

int bare_receive(struct quoit_call *call, const uint8_t *data, size_t size)
{
        return reader_feed_body(
                &call->exchange, data, size, (size_t)fields_content_length(&call->request.fields));
}

int bare_receive_end(struct quoit_call *call)
{
        return reader_end_body(&call->exchange);
}

/* ---- the answer ---- */

/* The prefix goes; what it says of compression is for the headers. */
int bare_seal(struct quoit_call *call, struct encoding *encoding)
{
        call->front->is_compressed = encoding->data[0] == 1;
        encoding->data += FRAMING_PREFIX_BYTES;
        encoding->size -= FRAMING_PREFIX_BYTES;
        if (encoding->first) {
                encoding->first->data += FRAMING_PREFIX_BYTES;
                encoding->first->size -= FRAMING_PREFIX_BYTES;
        }
        return 0;
}

static void add_own(struct field_block *block, const struct quoit_call *call,
        const char *http_status, const char *length, bool is_error)
{
        const struct front *front = call->front;

        field_block_add_text(block, ":status", http_status);
        field_block_add_text(
                block, "content-type", is_error ? "application/json" : front->content_type);
        field_block_add_text(block, "content-length", length);
        if (!is_error && front->is_compressed)
                field_block_add_text(block, "content-encoding",
                        compression_name(call->exchange.lent.compression));
        if (front->vary)
                field_block_add_text(block, "vary", front->vary);
}

/* The whole answer, whose body is queued. One for HEAD has none (RFC 9110, section 9.3.2). */
static int submit(struct quoit_call *call, const struct bare_answer *answer,
        const char *http_status, const struct dialect_end *end)
{
        size_t count = (end->headers ? end->headers->count : 0) +
                       (end->trailers ? end->trailers->count : 0);
        struct field_block block;
        struct text names;
        char length[NUMBER_DIGITS_MAX + 1];
        bool has_body;
        int r = field_block_init_for(&block, count, NGHTTP2_NV_FLAG_NONE);

        if (r < 0)
                return r;
        (void)number_print(length, call->exchange.writer.queued_bytes);
        if (call->request.http_method == METHOD_HEAD)
                writer_drop(&call->exchange);
        has_body = call->exchange.writer.queued_bytes > 0;
        text_init(&names);
        add_own(&block, call, http_status, length, end->status != QUOIT_OK);
        field_block_add_all(&block, end->headers);
        answer->add_fields(&block, &names, call, end);
        call->ring.headers_submitted = true;
        call->ring.trailers_submitted = !has_body;
        r = response_respond(call, &block, !has_body);
        text_deinit(&names);
        field_block_deinit(&block);
        return r;
}

/* The error is all of the body. */
static int queue_error(
        struct quoit_call *call, const struct bare_answer *answer, const struct dialect_end *end)
{
        struct text body;
        int r;

        writer_drop(&call->exchange);
        text_init(&body);
        answer->add_error(&body, call, end);
        r = body.failed ? -1 : dialect_append(call, body.data, body.size);
        text_deinit(&body);
        return r;
}

void bare_end(struct quoit_call *call, const struct bare_answer *answer, const char *http_status,
        const struct dialect_end *end)
{
        int r = 0;

        call->front->http_status = (unsigned)atoi(http_status);
        if (end->status != QUOIT_OK)
                r = queue_error(call, answer, end);
        if (r == 0)
                r = submit(call, answer, http_status, end);
        if (r < 0)
                response_reset(call, QUOIT_INTERNAL);
}
