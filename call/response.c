/* SPDX-License-Identifier: MIT */
#include "call/response.h"

#include <string.h>

#include "call/call.h"
#include "call/cors.h"
#include "call/dialect.h"
#include "call/field_block.h"
#include "call/http.h"
#include "codec/status.h"

#define FIELD_FLAGS (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static void block_add_head(struct field_block *block, const struct quoit_call *call)
{
        field_block_add_text(block, ":status", "200");
        field_block_add_text(block, "content-type",
                call->front ? call->front->content_type : "application/grpc");
        if (call->front && call->front->vary)
                field_block_add_text(block, "vary", call->front->vary);
}

static const struct dialect *dialect_of(const struct quoit_call *call)
{
        return call->front ? call->front->dialect : &dialect_grpc;
}

/* Lists for clients that compress the algorithms that they can use. */
static void block_add_accepted(struct field_block *block, const struct quoit_call *call)
{
        if (call->request.has_encoding)
                field_block_add_text(block, dialect_of(call)->accept_field, COMPRESSION_LIST);
}

static void block_add_compression(struct field_block *block, const struct quoit_call *call)
{
        if (call->exchange.lent.compression != QUOIT_IDENTITY)
                field_block_add_text(block, dialect_of(call)->encoding_field,
                        compression_name(call->exchange.lent.compression));
}

static void block_add_status(
        struct field_block *block, quoit_status status, const char *text, size_t text_size)
{
        field_block_add_text(block, "grpc-status", status_format(status));
        if (text_size > 0)
                field_block_add(block, "grpc-message", strlen("grpc-message"), text, text_size);
}

/* If a block can't be sent the stream can't end in order: resets it. */
static void check(struct quoit_call *call, int r)
{
        if (r < 0)
                stream_reset(&call->exchange.stream, NGHTTP2_INTERNAL_ERROR);
}

int response_respond(struct quoit_call *call, struct field_block *block, bool end)
{
        char exposed[CORS_EXPOSED_BYTES];

        cors_add_fields(block, call, exposed);
        return stream_respond(&call->exchange.stream, block->fields, block->count, end);
}

void response_submit_headers(struct quoit_call *call, const struct fields *headers)
{
        struct field_block block;
        int r = field_block_init(&block, headers, FIELD_FLAGS);

        call->ring.headers_submitted = true;
        if (r == 0) {
                block_add_head(&block, call);
                block_add_compression(&block, call);
                block_add_accepted(&block, call);
                field_block_add_all(&block, headers);
                r = response_respond(call, &block, false);
                field_block_deinit(&block);
        }
        check(call, r);
}

void response_submit_trailers(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers)
{
        struct field_block block;
        int r = field_block_init(&block, trailers, FIELD_FLAGS);

        call->ring.trailers_submitted = true;
        if (r == 0) {
                block_add_status(&block, status, text, text_size);
                field_block_add_all(&block, trailers);
                r = stream_submit_trailers(&call->exchange.stream, block.fields, block.count);
                field_block_deinit(&block);
        }
        check(call, r);
}

void response_submit_trailers_only(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers)
{
        struct field_block block;
        int r = field_block_init(&block, trailers, FIELD_FLAGS);

        call->ring.headers_submitted = true;
        call->ring.trailers_submitted = true;
        if (r == 0) {
                block_add_head(&block, call);
                block_add_accepted(&block, call);
                block_add_status(&block, status, text, text_size);
                if (call->ring.pushback_ms[0])
                        field_block_add_text(
                                &block, "grpc-retry-pushback-ms", call->ring.pushback_ms);
                field_block_add_all(&block, trailers);
                r = response_respond(call, &block, true);
                field_block_deinit(&block);
        }
        check(call, r);
}

void response_submit_answer(struct quoit_call *call)
{
        const struct fields *fields = &call->handler.header_fields;
        struct field_block block;
        int r = field_block_init(&block, fields, FIELD_FLAGS);

        call->ring.headers_submitted = true;
        if (r == 0) {
                field_block_add_text(&block, ":status", call->request.http_status);
                field_block_add_all(&block, fields);
                r = response_respond(call, &block, call->exchange.writer.queued_bytes == 0);
                field_block_deinit(&block);
        }
        check(call, r);
}

/* RFC 9110, sections 15.5.6 and 9.3.7: after a method that is not, and for OPTIONS; without a path these are the whole server's. */
static void add_allowed(
        struct field_block *block, const struct quoit_call *call, const char *http_status)
{
        bool is_ok = strcmp(http_status, "200") == 0;

        if (!is_ok && strcmp(http_status, "405") != 0)
                return;
        field_block_add_text(block, "allow",
                call_has_http_handler(call) ? "GET, HEAD, OPTIONS"
                : is_ok                     ? "GET, HEAD, POST, OPTIONS"
                                            : "POST");
}

void response_submit_http(struct quoit_call *call, const char *http_status, const char *text)
{
        char exposed[CORS_EXPOSED_BYTES];
        struct field_block block;

        call->ring.headers_submitted = true;
        call->ring.trailers_submitted = true;
        (void)field_block_init(&block, NULL, FIELD_FLAGS); /* no list: cannot fail */
        field_block_add_text(&block, ":status", http_status);
        field_block_add_text(&block, "content-type", "text/plain");
        add_allowed(&block, call, http_status);
        cors_add_fields(&block, call, exposed);
        check(call, stream_respond_text(&call->exchange.stream, block.fields, block.count, text));
}

void response_reset(struct quoit_call *call, quoit_status status)
{
        if (status == QUOIT_DEADLINE_EXCEEDED)
                stream_reset(&call->exchange.stream, NGHTTP2_CANCEL);
        else if (status == QUOIT_RESOURCE_EXHAUSTED)
                stream_reset(&call->exchange.stream, NGHTTP2_ENHANCE_YOUR_CALM);
        else if (status != QUOIT_UNAVAILABLE)
                stream_reset(&call->exchange.stream, NGHTTP2_INTERNAL_ERROR);
}
