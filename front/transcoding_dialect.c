/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <string.h>

#include "call/field_block.h"
#include "call/response.h"
#include "codec/status.h"
#include "front/bare.h"
#include "front/connect_error.h"
#include "front/encodings.h"
#include "front/last_piece.h"
#include "front/text.h"

/* ---- the request ---- */

static quoit_status begin(struct quoit_call *call, const char **ret_text)
{
        struct transcoding *state = call->front->state;
        quoit_status status = encodings_take_accepted(call, ret_text);

        call->front->vary = call->front->dialect->accept_field;
        if (state->rule->raw_reply) /* until its first message says what it is */
                call->front->content_type = "application/octet-stream";
        if (status == QUOIT_OK)
                return encodings_take(call, ret_text);
        state->http_status = "406";
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

        if (status == QUOIT_OK && call->front->must_compress) {
                *ret_text = "streams of this kind are not compressed";
                state->http_status = "406";
                status = QUOIT_UNIMPLEMENTED;
        }
        call->exchange.accepted = 0;
        call->exchange.lent.compression = QUOIT_IDENTITY;
        call->exchange.sends_unframed = true;
        if (state->rule->raw_reply)
                return status;
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

/* ---- the answer ---- */

/* Trailers are among the headers: JSON has no place for them. */
static void add_fields(struct field_block *block, struct text *names, const struct quoit_call *call,
        const struct dialect_end *end)
{
        const struct transcoding *state = call->front->state;
        const struct field *field = end->trailers ? end->trailers->first : NULL;

        (void)names;
        if (!state->rule)
                field_block_add_text(block, "allow", state->allow);
        for (; field; field = field->next)
                if (!connect_is_details(field))
                        field_block_add(block, field->name, field->name_size, field->value,
                                field->value_size);
}

static void end_whole(struct quoit_call *call, const struct dialect_end *end)
{
        static const struct bare_answer answer = { .add_error = transcoding_error_add,
                .add_fields = add_fields };
        const struct transcoding *state = call->front->state;
        bool has_other = end->status != QUOIT_OK && state->http_status;

        bare_end(call, &answer, has_other ? state->http_status : status_to_http(end->status), end);
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
        const struct transcoding *state = call->front->state;
        struct text text;

        if (!call->ring.headers_submitted && end->status != QUOIT_OK) {
                end_whole(call, end);
                return;
        }
        if (state->rule->raw_reply && end->status != QUOIT_OK) { /* bytes have no place for it */
                response_reset(call, QUOIT_INTERNAL);
                return;
        }
        text_init(&text);
        add_end(&text, call, end);
        last_piece_send(call, end, &text);
        text_deinit(&text);
}

const struct dialect transcoding_unary = {
        .protocol = QUOIT_PROTOCOL_TRANSCODING,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin,
        .receive = bare_receive,
        .receive_end = bare_receive_end,
        .seal = bare_seal,
        .end = end_whole,
};

const struct dialect transcoding_stream = {
        .protocol = QUOIT_PROTOCOL_TRANSCODING,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin_stream,
        .receive = bare_receive,
        .receive_end = bare_receive_end,
        .seal = bare_seal,
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
