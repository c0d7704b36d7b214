/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <quoit/json.h>

#include "codec/metadata.h"
#include "codec/percent.h"
#include "codec/required.h"
#include "front/json_codec.h"
#include "front/media_type.h"
#include "front/transcoding_message.h"

/* For the status: percent-encoded, in @arena. */
static const char *text_of(upb_Arena *arena, const quoit_problem *problem)
{
        size_t size = strlen(problem->text);
        size_t encoded_size = percent_encoded_size(problem->text, size);
        char *encoded = upb_Arena_Malloc(arena, encoded_size + 1);

        if (!encoded)
                return "the request is malformed";
        encoded[percent_encode(encoded, problem->text, size)] = '\0';
        return encoded;
}

/* "application/json", "application/problem+json", with parameters or without. */
static bool is_json(upb_StringView field)
{
        upb_StringView type = media_type_cut(field);

        return (type.size == strlen("application/json") &&
                       strncasecmp(type.data, "application/json", type.size) == 0) ||
               (type.size > 5 && strncasecmp(type.data + type.size - 5, "+json", 5) == 0);
}

/*
 * A body has to say that it is JSON: a browser asks before it sends such a request to another site, and not if it is a form or
 * nothing.
 */
static bool may_be_json(const struct quoit_call *call, size_t body_bytes)
{
        upb_StringView type;

        if (fields_find(&call->request.fields, "content-type", &type))
                return is_json(type);
        return body_bytes == 0;
}

static int decode(struct quoit_call *call, const uint8_t *data, size_t size, upb_Arena *arena,
        upb_Message **ret_message, const char **ret_text)
{
        struct transcoding *state = call->front->state;
        struct transcoding_request request = { .path = state->path,
                .query = call->front->query,
                .body = upb_StringView_FromDataAndSize((const char *)data, size) };
        quoit_problem problem = { "" };
        const quoit_schema *schema = json_types_schema(call_host_of(call)->json_types, &problem);
        struct field_place missing;
        upb_Message *message;
        int r = -EINVAL;

        (void)fields_find(&call->request.fields, "content-type", &request.content_type);
        if (state->rule->has_body && !state->rule->raw_request && !may_be_json(call, size)) {
                state->http_status = "415";
                *ret_text = "the body must be JSON: content-type: application/json";
                return -EBADMSG;
        }
        if (schema)
                r = transcoding_request_parse(
                        state->rule, &request, schema, 0, arena, &message, &problem);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                *ret_text = text_of(arena, &problem);
                return -EBADMSG;
        }
        if (required_find_missing(message, call->request.route->method->request, &missing)) {
                *ret_text = "the request message lacks a required field";
                return -EBADMSG;
        }
        *ret_message = message;
        return 0;
}

/* One of a stream's answers, with what is around it. JSON has no line breaks. */
static int wrap(const struct transcoding *state, upb_Arena *arena, upb_StringView *text)
{
        const char *before = state->has_events ? "data: " : "{\"result\":";
        const char *after = state->has_events ? "\n\n" : "}\n";
        size_t before_size = strlen(before), after_size = strlen(after);
        char *line = upb_Arena_Malloc(arena, before_size + text->size + after_size);

        if (!line)
                return -ENOMEM;
        memcpy(line, before, before_size);
        memcpy(line + before_size, text->data, text->size);
        memcpy(line + before_size + text->size, after, after_size);
        *text = upb_StringView_FromDataAndSize(line, before_size + text->size + after_size);
        return 0;
}

/* What the handler says of its bytes, if no byte has gone yet. */
static int take_content_type(struct quoit_call *call, upb_StringView type)
{
        char *copy;

        if (call->exchange.lent.messages_sent > 0 || type.size == 0 ||
                !metadata_value_valid(type.data, type.size))
                return 0;
        copy = call_alloc(call, type.size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, type.data, type.size);
        copy[type.size] = '\0';
        call->front->content_type = copy;
        return 0;
}

static int encode_raw(struct quoit_call *call, const upb_Message *message, upb_Arena *arena,
        size_t bytes_max, upb_StringView *ret_bytes)
{
        const struct transcoding *state = call->front->state;
        struct http_body body = transcoding_answer_raw(state->rule, message);
        char *copy;

        if (body.data.size > bytes_max)
                return -EMSGSIZE;
        copy = upb_Arena_Malloc(arena, body.data.size);
        if (!copy || take_content_type(call, body.content_type) < 0)
                return -ENOMEM;
        if (body.data.size > 0)
                memcpy(copy, body.data.data, body.data.size);
        *ret_bytes = upb_StringView_FromDataAndSize(copy, body.data.size);
        return 0;
}

static int encode(struct quoit_call *call, const upb_Message *message, const upb_MiniTable *type,
        size_t bytes_max, upb_StringView *ret_bytes)
{
        const struct transcoding *state = call->front->state;
        upb_Arena *arena = quoit_call_scratch(call);
        quoit_problem problem = { "" };
        const quoit_schema *schema = json_types_schema(call_host_of(call)->json_types, &problem);
        upb_StringView text;
        int r;

        (void)type; /* the rule's */
        if (!arena)
                return -ENOMEM;
        if (state->rule->raw_reply)
                return encode_raw(call, message, arena, bytes_max, ret_bytes);
        r = schema ? transcoding_answer_print(
                             state->rule, message, schema, 0, arena, &text, &problem)
                   : -EBADMSG;
        if (r == 0 && call->front->dialect == &transcoding_stream)
                r = wrap(state, arena, &text);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (text.size > bytes_max)
                return -EMSGSIZE;
        *ret_bytes = text;
        return 0;
}

const struct message_codec transcoding_codec = { .decode = decode, .encode = encode };
