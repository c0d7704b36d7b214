/* SPDX-License-Identifier: MIT */
#include "client/outcall_response.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/outcall.h"
#include "client/outcall_retry.h"
#include "client/subchannel.h"
#include "codec/percent.h"
#include "codec/rpc_status.h"
#include "codec/status.h"
#include "transport/session.h"

#define TEXT_BYTES 256 /* of a message that is made here */
#define QUOTED_MAX 60 /* bytes of the server's that are quoted in it */

/* Zero-terminated, in the call's arena. */
static upb_StringView copy(struct quoit_outcall *call, const char *text, size_t size)
{
        upb_Arena *arena = exchange_arena(&call->exchange);
        char *out = arena ? upb_Arena_Malloc(arena, size + 1) : NULL;

        if (!out)
                return upb_StringView_FromString("");
        memcpy(out, text, size);
        out[size] = '\0';
        return upb_StringView_FromDataAndSize(out, size);
}

/* ---- fields ---- */

static void set_http_status(struct response *response, const struct session_field *field)
{
        unsigned status = 0;

        for (size_t i = 0; i < field->value_size && i < 3; i++)
                status = status * 10 + (unsigned)(field->value[i] - '0');
        response->http_status = status; /* nghttp2 has checked that it is three digits */
}

/* "application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", in any case of letters */
static bool is_grpc(const char *value, size_t size)
{
        static const char type[] = "application/grpc";
        size_t length = sizeof(type) - 1;

        return size >= length && strncasecmp(value, type, length) == 0 &&
               (size == length || value[length] == '+' || value[length] == ';');
}

static void set_encoding(struct quoit_outcall *call, const struct session_field *field)
{
        struct response *response = &call->response;

        response->bad_encoding = compression_parse(field->value, field->value_size,
                                         &call->exchange.reader.compression) < 0;
}

static void set_message(struct quoit_outcall *call, const struct session_field *field)
{
        struct response *response = &call->response;
        upb_StringView text = copy(call, field->value, field->value_size);

        if (text.size > 0) {
                char *out = (char *)text.data;

                text.size = percent_decode(out, text.data, text.size);
                out[text.size] = '\0';
        }
        response->message = text;
}

static bool add_known(
        struct quoit_outcall *call, const struct session_field *field, bool is_trailer)
{
        struct response *response = &call->response;

        if (session_field_is(field, ":status")) {
                set_http_status(response, field);
        } else if (session_field_is(field, "content-type")) {
                response->is_grpc = is_grpc(field->value, field->value_size);
                if (!response->is_grpc)
                        response->content_type = copy(call, field->value,
                                field->value_size < QUOTED_MAX ? field->value_size : QUOTED_MAX);
        } else if (is_trailer && session_field_is(field, "grpc-status")) {
                response->has_status = true;
                response->bad_status =
                        status_parse(field->value, field->value_size, &response->status) < 0;
        } else if (is_trailer && session_field_is(field, "grpc-message")) {
                set_message(call, field);
        } else if (session_field_is(field, "grpc-encoding")) {
                set_encoding(call, field);
        } else {
                return false;
        }
        return true;
}

void response_add_field(struct quoit_outcall *call, const struct session_field *field)
{
        const struct stream *stream = &call->exchange.stream;
        struct response *response = &call->response;
        bool is_trailer = stream->has_headers || stream->block_ends;
        struct fields *fields = is_trailer ? &response->trailers : &response->headers;
        size_t count_max = call->exchange.group->host->limits->header_fields_max;
        upb_Arena *arena;
        int r = -ENOMEM;

        if (call->state != OUTCALL_OPEN || add_known(call, field, is_trailer))
                return;
        /* the caller may want it too */
        if (is_trailer && session_field_is(field, "grpc-retry-pushback-ms"))
                response->pushback =
                        pushback_parse(field->value, field->value_size, &response->pushback_ns);
        arena = exchange_arena(&call->exchange);
        /* the one name of gRPC's own that callers read */
        if (arena && is_trailer && session_field_is(field, RPC_STATUS_FIELD))
                r = fields_receive_binary(fields, arena, field->name, field->name_size,
                        field->value, field->value_size, count_max);
        else if (arena)
                r = fields_receive(fields, arena, field->name, field->name_size, field->value,
                        field->value_size, count_max);
        response->out_of_memory |= r == -ENOMEM;
        response->oversize |= r == -E2BIG;
}

/* ---- the status ---- */

static void fail(struct quoit_outcall *call, quoit_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void fail(struct quoit_outcall *call, quoit_status status, const char *format, ...)
{
        char text[TEXT_BYTES];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        outcall_fail_attempt(call, status, text);
}

/* It is not gRPC's answer: its HTTP status stands for it. */
static void fail_as_http(struct quoit_outcall *call)
{
        const struct response *response = &call->response;
        const char *server = call->subchannel ? call->subchannel->text : "it is gone";
        quoit_status status = response->http_status == 200
                                      ? QUOIT_UNKNOWN
                                      : status_from_http(response->http_status);

        if (response->is_grpc)
                fail(call, status, "the server answered with HTTP status %u (%s)",
                        response->http_status, server);
        else if (response->content_type.data)
                fail(call, status,
                        "the server answered with HTTP status %u and content-type \"%s\", which is "
                        "not gRPC (%s)",
                        response->http_status, response->content_type.data, server);
        else
                fail(call, status,
                        "the server answered with HTTP status %u and no content-type, which is not "
                        "gRPC (%s)",
                        response->http_status, server);
}

/* Limits, of either header block. True: it has ended. */
static bool is_over_limits(struct quoit_outcall *call, bool oversize)
{
        if (oversize || call->response.oversize)
                fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the response's headers are over the limit (header_bytes_max, "
                        "header_fields_max)");
        else if (call->response.out_of_memory)
                fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        return call->state != OUTCALL_OPEN;
}

/* The caller hears of the headers: there cannot be others. */
static void commit(struct quoit_outcall *call)
{
        call->response.has_headers = true;
        if (call->face)
                hedging_win(call);
        writer_forget(&call->exchange);
        outcall_wake(call);
}

void response_on_headers(struct quoit_outcall *call, bool oversize)
{
        struct response *response = &call->response;
        bool ends = call->exchange.stream.block_ends;

        if (call->state != OUTCALL_OPEN || is_over_limits(call, oversize) ||
                call->exchange.stream.has_headers)
                return;
        if (!response->is_grpc || (response->http_status != 200 && !(ends && response->has_status)))
                fail_as_http(call);
        else if (response->bad_encoding)
                fail(call, QUOIT_INTERNAL, "the response has a grpc-encoding that was not offered");
        else if (!ends)
                commit(call);
}

/* As the server says. */
static void finish(struct quoit_outcall *call)
{
        const struct response *response = &call->response;
        upb_StringView message =
                response->message.data ? response->message : upb_StringView_FromString("");

        if (!outcall_try_again(call, response->status, message))
                outcall_finish(call, response->status, message);
}

void response_on_end(struct quoit_outcall *call)
{
        const struct response *response = &call->response;
        const struct reader *reader = &call->exchange.reader;
        bool wants_one = !call->exchange.takes_many;

        if (call->state != OUTCALL_OPEN)
                return;
        if (!response->has_status)
                outcall_finish_attempt(
                        call, QUOIT_UNKNOWN, "the server ended the call without grpc-status");
        else if (response->bad_status)
                outcall_finish_attempt(
                        call, QUOIT_UNKNOWN, "the server sent a grpc-status that is not a number");
        else if (response->status == QUOIT_OK && !framing_idle(&reader->framing))
                outcall_finish_attempt(call, QUOIT_INTERNAL, "the response ends within a message");
        else if (response->status == QUOIT_OK && wants_one && reader->messages == 0)
                fail(call, QUOIT_UNIMPLEMENTED, "the server sent no message, where one is due");
        else
                finish(call);
}

void response_on_reset(struct quoit_outcall *call, uint32_t error_code)
{
        bool is_late;
        char text[TEXT_BYTES];

        if (call->state != OUTCALL_OPEN)
                return;
        is_late = call->exchange.deadline_ns != UINT64_MAX &&
                  ring_clock_ns(call->exchange.group->host->ring) >= call->exchange.deadline_ns;
        snprintf(text, sizeof(text), "the server reset the stream with %s",
                nghttp2_http2_strerror(error_code));
        if (error_code == NGHTTP2_CANCEL && is_late) /* the server's timer was first */
                outcall_finish(call, QUOIT_DEADLINE_EXCEEDED,
                        upb_StringView_FromString("deadline exceeded"));
        else if (error_code == NGHTTP2_NO_ERROR)
                outcall_finish_attempt(
                        call, QUOIT_INTERNAL, "the server ended the stream before the call's end");
        else
                outcall_finish_attempt(call, status_from_http2_error(error_code), text);
}
