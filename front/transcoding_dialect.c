/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/field_block.h"
#include "call/response.h"
#include "codec/status.h"
#include "front/connect.h"
#include "front/connect_error.h"
#include "front/text.h"

/* ---- the request ---- */

static quoit_status begin(struct quoit_call *call, const char **ret_text)
{
        upb_StringView encoding = { NULL, 0 };
        quoit_status status;

        (void)fields_find(&call->request.fields, "content-encoding", &encoding);
        status = connect_take_compression(call, encoding, ret_text);
        connect_take_accepted(call, "accept-encoding");
        call->front->vary = "accept-encoding";
        return status;
}

/* Whether the client prefers events: it names them. */
static bool wants_events(const struct quoit_call *call)
{
        upb_StringView accept;

        return fields_find(&call->request.fields, "accept", &accept) &&
               memmem(accept.data, accept.size, "text/event-stream", strlen("text/event-stream"));
}

/* Compression would keep lines from being seen as they come. */
static quoit_status begin_stream(struct quoit_call *call, const char **ret_text)
{
        struct transcoding *state = call->front->state;
        quoit_status status = begin(call, ret_text);

        call->exchange.accepted = 0;
        call->exchange.sends_unframed = true;
        state->has_events = wants_events(call);
        call->front->vary = "accept";
        call->front->content_type =
                state->has_events ? "text/event-stream" : "application/x-ndjson";
        return status;
}

static quoit_status refuse(struct quoit_call *call, const char **ret_text)
{
        struct transcoding *state = call->front->state;

        state->http_status = "405";
        *ret_text = "this path has other methods of HTTP: see the field allow";
        return QUOIT_UNIMPLEMENTED;
}

static int receive(struct quoit_call *call, const uint8_t *data, size_t size)
{
        return reader_feed_body(&call->exchange, data, size, 0);
}

static int receive_end(struct quoit_call *call)
{
        return reader_end_body(&call->exchange);
}

/* ---- the answer ---- */

/* Trailers are among the headers: JSON has no place for them. */
static void add_trailers(struct field_block *block, const struct fields *trailers)
{
        const struct field *field = trailers ? trailers->first : NULL;

        for (; field; field = field->next)
                if (!connect_is_details(field))
                        field_block_add(block, field->name, field->name_size, field->value,
                                field->value_size);
}

static void add_own(struct field_block *block, const struct quoit_call *call,
        const struct dialect_end *end, const char *length)
{
        const struct transcoding *state = call->front->state;

        field_block_add_text(block, "content-type", "application/json");
        field_block_add_text(block, "content-length", length);
        if (end->status == QUOIT_OK && call->front->is_compressed)
                field_block_add_text(block, "content-encoding",
                        compression_name(call->exchange.lent.compression));
        if (call->front->vary)
                field_block_add_text(block, "vary", call->front->vary);
        if (!state->rule)
                field_block_add_text(block, "allow", state->allow);
}

/* The whole answer, whose body is queued. One for HEAD has none (RFC 9110, section 9.3.2). */
static int submit(struct quoit_call *call, const char *http_status, const struct dialect_end *end)
{
        size_t count = (end->headers ? end->headers->count : 0) +
                       (end->trailers ? end->trailers->count : 0);
        struct field_block block;
        bool has_body = !call->request.is_head;
        char length[24];
        int r = field_block_init_for(&block, count, NGHTTP2_NV_FLAG_NONE);

        if (r < 0)
                return r;
        snprintf(length, sizeof(length), "%zu", call->exchange.writer.queued_bytes);
        if (!has_body)
                writer_drop(&call->exchange);
        field_block_add_text(&block, ":status", http_status);
        add_own(&block, call, end, length);
        field_block_add_all(&block, end->headers);
        add_trailers(&block, end->trailers);
        call->ring.headers_submitted = true;
        call->ring.trailers_submitted = !has_body;
        r = response_respond(call, &block, !has_body);
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
        transcoding_error_add(&body, call, end);
        r = body.failed ? -1 : dialect_append(call, body.data, body.size);
        text_deinit(&body);
        return r;
}

static void end_whole(struct quoit_call *call, const struct dialect_end *end)
{
        const struct transcoding *state = call->front->state;
        const char *http_status = status_to_http(end->status);
        int r = 0;

        if (end->status != QUOIT_OK) {
                if (state->http_status)
                        http_status = state->http_status;
                r = queue_error(call, end);
        }
        call->front->http_status = (unsigned)atoi(http_status);
        if (r == 0)
                r = submit(call, http_status, end);
        if (r < 0)
                response_reset(call, QUOIT_INTERNAL);
}

/* What stands behind a stream's answers. */
static void add_end(struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        const struct transcoding *state = call->front->state;

        if (end->status != QUOIT_OK) {
                text_add_string(text, state->has_events ? "event: error\ndata: " : "{\"error\":");
                transcoding_error_add(text, call, end);
                text_add_string(text, state->has_events ? "\n\n" : "}\n");
        } else if (state->has_events) {
                text_add_string(text, "event: end\ndata: {}\n\n");
        }
}

static void end_stream(struct quoit_call *call, const struct dialect_end *end)
{
        struct text text;

        if (!call->ring.headers_submitted && end->status != QUOIT_OK) {
                end_whole(call, end);
                return;
        }
        if (!call->ring.headers_submitted)
                response_submit_headers(call, end->headers);
        text_init(&text);
        add_end(&text, call, end);
        if (text.failed || (text.size > 0 && dialect_append(call, text.data, text.size) < 0))
                response_reset(call, QUOIT_INTERNAL);
        text_deinit(&text);
        stream_resume(&call->exchange.stream);
}

const struct dialect transcoding_unary = {
        .protocol = QUOIT_PROTOCOL_TRANSCODING,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin,
        .receive = receive,
        .receive_end = receive_end,
        .seal = connect_unary_seal,
        .end = end_whole,
};

const struct dialect transcoding_stream = {
        .protocol = QUOIT_PROTOCOL_TRANSCODING,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin_stream,
        .receive = receive,
        .receive_end = receive_end,
        .seal = connect_unary_seal,
        .end = end_stream,
};

const struct dialect transcoding_refusal = {
        .protocol = QUOIT_PROTOCOL_TRANSCODING,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = refuse,
        .end = end_whole,
};
