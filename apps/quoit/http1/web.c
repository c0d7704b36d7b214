/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base64.h"
#include "answer.h"
#include "fields.h"

/* gRPC-Web, grpc's doc/PROTOCOL-WEB.md. */

#define TIMEOUT_MAX 100000000 /* a number has at most eight digits */

static bool has_frames(const struct http1_call *call)
{
        (void)call;
        return true;
}

static int print(struct bytes *head, const struct http1_call *call, uint64_t timeout_ms)
{
        const char *codec = call->is_json ? "json" : "proto";
        int r = bytes_print(head,
                "Content-Type: application/grpc-web+%s\r\nAccept: application/grpc-web+%s\r\n"
                "X-Grpc-Web: 1\r\n",
                codec, codec);

        if (r == 0 && timeout_ms)
                r = timeout_ms < TIMEOUT_MAX
                            ? bytes_print(head, "Grpc-Timeout: %" PRIu64 "m\r\n", timeout_ms)
                            : bytes_print(
                                      head, "Grpc-Timeout: %" PRIu64 "S\r\n", timeout_ms / 1000);
        return r;
}

/* ---- the status ---- */

static int digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)tolower((unsigned char)c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* grpc-message is percent-encoded; what is not stays as it is. */
static upb_StringView decode(const struct answer_parts *answer, upb_StringView text)
{
        upb_StringView copy = answer_copy(answer, text);
        char *out = (char *)copy.data;
        size_t size = 0;

        for (size_t i = 0; i < copy.size; i++) {
                if (out[i] == '%' && i + 2 < copy.size && digit(out[i + 1]) >= 0 &&
                        digit(out[i + 2]) >= 0) {
                        out[size++] = (char)(digit(out[i + 1]) * 16 + digit(out[i + 2]));
                        i += 2;
                } else {
                        out[size++] = out[i];
                }
        }
        return upb_StringView_FromDataAndSize(copy.data, size);
}

static upb_StringView decode_details(const struct answer_parts *answer, upb_StringView text)
{
        upb_StringView copy = answer_copy(answer, text);
        size_t size = 0;

        if (copy.size < text.size || /* memory was short: it is no copy */
                !base64_decode(text.data, text.size, (char *)copy.data, &size))
                size = 0;
        return upb_StringView_FromDataAndSize(copy.data, size);
}

static void take_status(struct answer_parts *answer, const struct metadata *fields)
{
        upb_StringView status = fields_get(fields, "grpc-status");
        char text[4] = "";

        if (status.size < sizeof(text))
                memcpy(text, status.data, status.size);
        answer->has_end = true;
        answer->end->status =
                *text && strspn(text, "0123456789") == strlen(text) && atoi(text) <= 16
                        ? (quoit_status)atoi(text)
                        : QUOIT_UNKNOWN;
        answer->end->message = decode(answer, fields_get(fields, "grpc-message"));
        answer->end->details =
                decode_details(answer, fields_get(fields, "grpc-status-details-bin"));
}

/* ---- the answer ---- */

static int take_head(struct answer_parts *answer, const struct metadata *fields)
{
        static const char type[] = "application/grpc-web";
        upb_StringView own = fields_get(fields, "content-type");

        if (own.size < strlen(type) || strncasecmp(own.data, type, strlen(type)) != 0 ||
                answer->http_status != 200)
                return ANSWER_FOREIGN;
        if (!fields_get(fields, "grpc-status").size)
                return ANSWER_FRAMES;
        take_status(answer, fields);
        return ANSWER_EMPTY;
}

/* "name: value" of the line. False: it is none. */
static bool split(const struct answer_parts *answer, upb_StringView line, quoit_metadata *ret_field)
{
        const char *colon = memchr(line.data, ':', line.size);
        const char *value = colon ? colon + 1 : NULL, *end = line.data + line.size;
        char *name;

        if (!colon || colon == line.data)
                return false;
        while (value < end && (*value == ' ' || *value == '\t'))
                value++;
        name = (char *)answer_copy(
                answer, upb_StringView_FromDataAndSize(line.data, (size_t)(colon - line.data)))
                       .data;
        for (char *c = name; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        ret_field->name = name;
        ret_field->value =
                answer_copy(answer, upb_StringView_FromDataAndSize(value, (size_t)(end - value)));
        return true;
}

static int take_trailers(struct answer_parts *answer, upb_StringView data)
{
        const char *next = data.data, *end = next + data.size;
        struct upb_Arena *arena = answer->call->arena;
        struct metadata fields = { 0 };
        quoit_metadata field;
        int r;

        while (next < end) {
                const char *stop = memchr(next, '\n', (size_t)(end - next));
                upb_StringView line =
                        upb_StringView_FromDataAndSize(next, (size_t)((stop ? stop : end) - next));

                next = stop ? stop + 1 : end;
                if (line.size && line.data[line.size - 1] == '\r')
                        line.size--;
                if (line.size == 0)
                        continue;
                if (!split(answer, line, &field))
                        return answer_refuse(answer, "the trailers are not lines of fields");
                r = fields_append(&fields, field, arena);
                if (r < 0)
                        return r;
        }
        if (!fields_get(&fields, "grpc-status").size)
                return answer_refuse(answer, "the trailers have no status");
        take_status(answer, &fields);
        return fields_add_own(&answer->end->trailers, &fields, false, arena);
}

static int take_frame(struct answer_parts *answer, uint8_t flags, upb_StringView data)
{
        if (flags & FRAME_WEB_TRAILERS)
                return take_trailers(answer, data);
        return answer_message(answer, data);
}

const struct http1_protocol http1_grpc_web = {
        .print = print,
        .has_frames = has_frames,
        .take_head = take_head,
        .take_frame = take_frame,
};
