/* SPDX-License-Identifier: MIT */
#include "call/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/here.h"
#include "call/response.h"
#include "codec/compression.h"
#include "codec/metadata.h"
#include "codec/number.h"
#include "codec/percent.h"
#include "codec/status.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define UNACCEPTABLE "this is not to be had with an encoding that you take\n"

const quoit_method http_method = {
        .path = "",
        .kind = QUOIT_UNARY,
};

void http_run(struct quoit_call *call)
{
        const struct route *route = call->request.route;

        CONTAINER_OF(route, struct http_route, route)->handler(call, route->user);
}

/* ---- what a handler asks ---- */

const char *quoit_http_method(const quoit_call *call)
{
        if (!call_is_here(call, __func__) || !call_has_http_handler(call))
                return NULL;
        return call->request.http_method == METHOD_HEAD ? "HEAD" : "GET";
}

const char *quoit_http_query(const quoit_call *call)
{
        if (!call_is_here(call, __func__) || !call->request.has_query)
                return "";
        return call->request.unknown_path + strlen(call->request.unknown_path) + 1;
}

bool quoit_http_takes(const quoit_call *call, quoit_compression algorithm)
{
        upb_StringView list;

        if (!call_is_here(call, __func__) || !compression_is_known(algorithm))
                return false;
        if (!fields_find(&call->request.fields, "accept-encoding", &list))
                return algorithm == QUOIT_IDENTITY;
        return compression_has(compression_parse_list(list.data, list.size), algorithm);
}

/* ---- answering ---- */

/* A field whose value is copied. */
static int add_field(struct quoit_call *call, const char *name, const char *value)
{
        upb_Arena *arena = call_arena(call);

        return arena ? fields_append_copy(&call->handler.header_fields, arena, name, strlen(name),
                               value, strlen(value))
                     : -ENOMEM;
}

/* Queues @size bytes that live as long as the call. */
static int queue(struct quoit_call *call, const void *data, size_t size)
{
        struct segment *segment;

        if (!writer_may_queue(&call->exchange, size))
                return -ENOMEM;
        segment = call_alloc(call, sizeof(*segment));
        if (!segment)
                return -ENOMEM;
        *segment = (struct segment){
                .data = data,
                .size = size,
                .release = writer_release_nothing,
        };
        writer_append_segment(&call->exchange, segment);
        call->exchange.lent.bytes_sent = size;
        return 0;
}

/* A status that has no body (RFC 9110, sections 15.3.5 and 15.4.5). */
static bool has_body(unsigned status)
{
        return status != 204 && status != 304;
}

static int queue_body(struct quoit_call *call, const quoit_http_answer *answer)
{
        const void *body = answer->body;
        upb_Arena *arena = call_arena(call);

        if (answer->size == 0 || call->request.http_method == METHOD_HEAD)
                return 0;
        if (!answer->is_static) {
                char *copy = arena ? upb_Arena_Malloc(arena, answer->size) : NULL;

                if (!copy)
                        return -ENOMEM;
                body = memcpy(copy, body, answer->size);
        }
        return queue(call, body, answer->size);
}

/* The body, and the fields that tell of it. */
static int add_body(struct quoit_call *call, const quoit_http_answer *answer)
{
        char length[NUMBER_DIGITS_MAX + 1];
        int r = add_field(
                call, "content-type", answer->content_type ? answer->content_type : TEXT_TYPE);

        (void)number_print(length, answer->size);
        if (r == 0)
                r = add_field(call, "content-length", length);
        return r == 0 ? queue_body(call, answer) : r;
}

/* The client takes it as it is, or the handler has encoded it. */
static bool is_acceptable(const struct quoit_call *call, const quoit_http_answer *answer)
{
        upb_StringView encoding;

        return answer->size == 0 || answer->status >= 300 ||
               quoit_http_takes(call, QUOIT_IDENTITY) ||
               fields_find(&call->handler.header_fields, "content-encoding", &encoding);
}

/* All that is sent; nothing of it is, after an error. */
static int prepare(struct quoit_call *call, const quoit_http_answer *answer)
{
        unsigned status = answer->status ? answer->status : 200;
        char *status_text = call_alloc(call, sizeof("200"));
        int r = status_text ? 0 : -ENOMEM;

        if (r == 0 && has_body(status))
                r = add_body(call, answer);
        if (r < 0)
                return r;
        snprintf(status_text, sizeof("200"), "%u", status % 1000); /* is_valid() has seen to that */
        call->request.http_status = status_text;
        call->handler.status = status < 400 ? QUOIT_OK : QUOIT_UNKNOWN;
        return 0;
}

static bool is_valid(const struct quoit_call *call, const quoit_http_answer *answer)
{
        const char *type = answer->content_type;

        if (!call_has_http_handler(call))
                return false;
        if (answer->status != 0 && (answer->status < 200 || answer->status > 599))
                return false;
        return !type || metadata_value_valid(type, strlen(type));
}

static int fail(struct quoit_call *call)
{
        call->handler.header_fields = (struct fields){ 0 };
        call->request.http_status = "503";
        call_finish(call, QUOIT_RESOURCE_EXHAUSTED, NULL, 0);
        return -ENOMEM;
}

int quoit_http_reply(quoit_call *call, const quoit_http_answer *answer)
{
        static const quoit_http_answer unacceptable = { .status = 406,
                .body = UNACCEPTABLE,
                .size = sizeof(UNACCEPTABLE) - 1,
                .is_static = true };

        if (!call_is_here(call, __func__))
                return -EPERM;
        if (!is_valid(call, answer))
                return -EINVAL;
        if (call->handler.finish_asked) {
                call_note_after_finish(call, "it answered a request that has its answer");
                return -EALREADY;
        }
        if (!is_acceptable(call, answer))
                answer = &unacceptable;
        if (call->ring.state == CALL_OPEN && prepare(call, answer) < 0)
                return fail(call);
        call->handler.finish_asked = true;
        call->handler.held = false;
        if (call->ring.state == CALL_OPEN)
                call_apply_finish(call);
        else
                call_wake(call); /* it was cancelled before: only the hold ends */
        return 0;
}

/* ---- the answer to a status ---- */

static const char *status_code(const struct quoit_call *call, quoit_status status)
{
        if (call->request.http_status)
                return call->request.http_status;
        if (call->ring.pushback_ms[0])
                return "503"; /* the server is full: 429 would blame the client */
        if (status == QUOIT_DEADLINE_EXCEEDED && !call->ring.started)
                return "408";
        return status_to_http(status);
}

/* The text of its status as a line. Without memory there is none. */
static void prepare_status(struct quoit_call *call)
{
        size_t size = call->handler.status_text_size;
        char *line = size > 0 ? call_alloc(call, size + 1) : NULL;

        call->request.http_status = status_code(call, call->handler.status);
        if (!line)
                return;
        size = percent_decode(line, call->handler.status_text, size);
        line[size++] = '\n';
        (void)add_body(call, &(quoit_http_answer){ .body = line, .size = size, .is_static = true });
}

void http_submit_finished(struct quoit_call *call)
{
        if (!call->request.http_status || call->handler.status_text)
                prepare_status(call);
        call->ring.http_answered = true;
        response_submit_answer(call);
}

void http_submit_cancelled(struct quoit_call *call, quoit_status status, const char *text)
{
        call->request.http_status = status_code(call, status);
        call->ring.http_answered = true;
        response_submit_http(call, call->request.http_status,
                call->request.http_method == METHOD_HEAD ? "" : text);
}
