/* SPDX-License-Identifier: MIT */
#include "front/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/encoding.h"
#include "call/field_block.h"
#include "call/response.h"
#include "call/unknown.h"
#include "codec/framing.h"
#include "codec/status.h"
#include "front/connect_error.h"
#include "front/text.h"

/* ---- the request ---- */

static quoit_status begin(struct quoit_call *call, const char **ret_text)
{
        upb_StringView encoding = { NULL, 0 };
        quoit_status status = connect_take_version(call, ret_text);

        if (status == QUOIT_OK)
                status = connect_take_timeout(call, ret_text);
        (void)fields_find(&call->request.fields, "content-encoding", &encoding);
        if (status == QUOIT_OK)
                status = connect_take_compression(call, encoding, ret_text);
        connect_take_accepted(call, "accept-encoding");
        return status;
}

/* What content-length says; 0: nothing. The transport has checked that it is a number. */
static size_t expected_bytes(const struct quoit_call *call)
{
        upb_StringView text;
        size_t size = 0;

        if (!fields_find(&call->request.fields, "content-length", &text) || text.size > 18)
                return 0;
        for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
                size = size * 10 + (size_t)(text.data[i] - '0');
        return size;
}

static int receive(struct quoit_call *call, const uint8_t *data, size_t size)
{
        return reader_feed_body(&call->exchange, data, size, expected_bytes(call));
}

static int receive_end(struct quoit_call *call)
{
        return reader_end_body(&call->exchange);
}

/* ---- the answer ---- */

/* The prefix goes; what it says of compression is for the headers. */
int connect_unary_seal(struct quoit_call *call, struct encoding *encoding)
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

#define TRAILER "trailer-"

/* Adds the names of trailers among the headers to @names, one behind the other, then the fields. */
static void add_trailers(
        struct field_block *block, struct text *names, const struct fields *trailers)
{
        const struct field *first = trailers ? trailers->first : NULL;
        const char *name;

        for (const struct field *field = first; field; field = field->next) {
                text_add_string(names, TRAILER);
                text_add(names, field->name, field->name_size);
        }
        name = names->data;
        for (const struct field *field = first; field && !names->failed; field = field->next) {
                size_t size = strlen(TRAILER) + field->name_size;

                if (!connect_is_details(field))
                        field_block_add(block, name, size, field->value, field->value_size);
                name += size;
        }
}

/* The status line, the fields of the application and its trailers. What is queued is the body. */
static int submit(struct quoit_call *call, const char *http_status, const char *type,
        const struct dialect_end *end)
{
        size_t count = (end->headers ? end->headers->count : 0) +
                       (end->trailers ? end->trailers->count : 0);
        size_t body_bytes = call->exchange.writer.queued_bytes;
        struct field_block block;
        struct text names;
        char length[24];
        int r = field_block_init_for(&block, count, NGHTTP2_NV_FLAG_NONE);

        if (r < 0)
                return r;
        text_init(&names);
        field_block_add_text(&block, ":status", http_status);
        field_block_add_text(&block, "content-type", type);
        snprintf(length, sizeof(length), "%zu", body_bytes);
        field_block_add_text(&block, "content-length", length);
        if (end->status == QUOIT_OK && call->front->is_compressed)
                field_block_add_text(&block, "content-encoding",
                        compression_name(call->exchange.lent.compression));
        if (call->request.is_get)
                field_block_add_text(&block, "vary", "accept-encoding");
        field_block_add_all(&block, end->headers);
        add_trailers(&block, &names, end->trailers);
        call->ring.headers_submitted = true;
        call->ring.trailers_submitted = body_bytes == 0;
        r = response_respond(call, &block, body_bytes == 0);
        text_deinit(&names);
        field_block_deinit(&block);
        return r;
}

/* The error is all of the body. */
static int queue_error(struct quoit_call *call, const struct dialect_end *end)
{
        struct text body;
        int r;

        writer_drop(&call->exchange);
        text_init(&body);
        connect_error_add(&body, end);
        r = body.failed ? -1 : dialect_append(call, body.data, body.size);
        text_deinit(&body);
        return r;
}

/* A path that nobody serves is HTTP's 404, a method without a handler the 501 of its status. */
static const char *http_status_of(const struct quoit_call *call, quoit_status status)
{
        if (status == QUOIT_UNIMPLEMENTED && route_is_unknown(call->request.route))
                return "404";
        return status_to_http(status);
}

void connect_unary_end(struct quoit_call *call, const struct dialect_end *end)
{
        const char *http_status = http_status_of(call, end->status);
        const char *type = call->front->content_type;
        int r = 0;

        call->front->http_status = (unsigned)atoi(http_status);
        if (end->status != QUOIT_OK) {
                type = "application/json";
                r = queue_error(call, end);
        }
        if (r == 0)
                r = submit(call, http_status, type, end);
        if (r < 0)
                response_reset(call, QUOIT_INTERNAL);
}

const struct dialect connect_unary = {
        .protocol = QUOIT_PROTOCOL_CONNECT,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin,
        .receive = receive,
        .receive_end = receive_end,
        .seal = connect_unary_seal,
        .end = connect_unary_end,
};
