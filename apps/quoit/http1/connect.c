/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "connect_json.h"
#include "fields.h"

/* Connect, connectrpc.com/docs/protocol. */

static bool has_frames(const struct http1_call *call)
{
        return call->method->kind != QUOIT_UNARY;
}

/* "application/proto", "application/connect+json". */
static void spell_type(const struct http1_call *call, char *type, size_t size)
{
        snprintf(type, size, "application/%s%s", has_frames(call) ? "connect+" : "",
                call->is_json ? "json" : "proto");
}

static int print(struct bytes *head, const struct http1_call *call, uint64_t timeout_ms)
{
        char type[64];
        int r;

        spell_type(call, type, sizeof(type));
        r = bytes_print(head, "Content-Type: %s\r\nConnect-Protocol-Version: 1\r\n", type);
        if (r == 0 && timeout_ms) /* of at most ten digits: flags take no longer times */
                r = bytes_print(head, "Connect-Timeout-Ms: %" PRIu64 "\r\n", timeout_ms);
        return r;
}

/* Without what follows a semicolon. */
static bool is_type(upb_StringView value, const char *type)
{
        size_t size = strlen(type);

        return value.size >= size && !strncasecmp(value.data, type, size) &&
               (value.size == size || strchr("; \t", value.data[size]));
}

static int take_head(struct answer_parts *answer, const struct metadata *fields)
{
        upb_StringView own = fields_get(fields, "content-type");
        struct http1_call *call = answer->call;
        char type[64];
        int r;

        spell_type(call, type, sizeof(type));
        if (answer->http_status != 200)
                return is_type(own, "application/json") ? ANSWER_ERROR : ANSWER_FOREIGN;
        if (!is_type(own, type))
                return ANSWER_FOREIGN;
        if (has_frames(call))
                return ANSWER_FRAMES;
        r = fields_add_own(&answer->end->trailers, fields, true, call->arena);
        return r < 0 ? r : ANSWER_MESSAGE;
}

static int take_frame(struct answer_parts *answer, uint8_t flags, upb_StringView data)
{
        int r;

        if (!(flags & FRAME_CONNECT_END))
                return answer_message(answer, data);
        answer->has_end = true;
        r = connect_take_end(answer->end, data, answer->call->arena);
        return r == -EBADMSG ? answer_refuse(answer, "the stream's end is no JSON of Connect") : r;
}

static int take_error(struct answer_parts *answer)
{
        return connect_take_error(answer->end, bytes_view(&answer->body), answer->call->arena);
}

const struct http1_protocol http1_connect = {
        .print = print,
        .has_frames = has_frames,
        .take_head = take_head,
        .take_frame = take_frame,
        .take_error = take_error,
};
