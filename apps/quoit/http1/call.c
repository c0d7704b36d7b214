/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../common/clock.h"
#include "../text_copy.h"
#include "answer.h"
#include "exchange.h"
#include "fields.h"
#include "upb/mem/arena.h"

#define ERROR_BYTES_MAX ((size_t)1 << 20) /* of an error in JSON */
#define HEAD_ROOM 256

/* ---- the request ---- */

int http1_call_add(struct http1_call *call, upb_StringView message)
{
        return frame_add(&call->requests, 0, message);
}

void http1_call_deinit(struct http1_call *call)
{
        bytes_deinit(&call->requests);
}

static const struct http1_protocol *protocol_of(const struct http1_call *call)
{
        return call->protocol == PROTOCOL_CONNECT ? &http1_connect : &http1_grpc_web;
}

static bool has_deadline(const struct http1_call *call)
{
        return call->deadline_ns != UINT64_MAX;
}

/* At least 1: 0 says that there is none. */
static uint64_t time_left_ms(const struct http1_call *call)
{
        uint64_t now_ns = clock_now_ns();

        if (!has_deadline(call))
                return 0;
        return call->deadline_ns > now_ns ? (call->deadline_ns - now_ns) / 1000000 + 1 : 1;
}

static int print_request(struct bytes *request, const struct http1_call *call)
{
        const struct http1_protocol *protocol = protocol_of(call);
        upb_StringView body = bytes_view(&call->requests);
        char agent[HEAD_ROOM];
        int r;

        if (!protocol->has_frames(call) && body.size) {
                body.data += FRAME_HEAD_BYTES;
                body.size -= FRAME_HEAD_BYTES;
        }
        http1_way_agent(call->way, agent, sizeof(agent));
        r = bytes_print(request,
                "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nConnection: close\r\n"
                "Content-Length: %zu\r\n",
                call->method->path, http1_way_host(call->way), agent, body.size);
        if (r == 0)
                r = protocol->print(request, call, time_left_ms(call));
        if (r == 0)
                r = fields_print(request, call->metadata);
        if (r == 0)
                r = bytes_print(request, "\r\n");
        return r < 0 ? r : bytes_add(request, body.data, body.size);
}

/* ---- the answer ---- */

upb_StringView answer_copy(const struct answer_parts *answer, upb_StringView text)
{
        const char *copy = text_copy(text, answer->call->arena);

        return copy ? upb_StringView_FromDataAndSize(copy, text.size)
                    : upb_StringView_FromDataAndSize("", 0);
}

static void end_with(
        struct answer_parts *answer, quoit_status status, const char *format, va_list arguments)
{
        char text[QUOIT_ERROR_TEXT_BYTES];

        vsnprintf(text, sizeof(text), format, arguments);
        answer->end->status = status;
        answer->end->message = answer_copy(answer, upb_StringView_FromString(text));
        answer->end->details = upb_StringView_FromDataAndSize(NULL, 0);
}

void answer_end(struct answer_parts *answer, quoit_status status, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        end_with(answer, status, format, arguments);
        va_end(arguments);
}

int answer_refuse(struct answer_parts *answer, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        end_with(answer, QUOIT_INTERNAL, format, arguments);
        va_end(arguments);
        answer->is_over = true;
        return -EBADMSG;
}

int answer_message(struct answer_parts *answer, upb_StringView message)
{
        const struct http1_call *call = answer->call;

        int r = call->on_message ? call->on_message(message, call->user) : 0;

        if (r == 0)
                return 0;
        if (r != -ECANCELED)
                return answer_refuse(answer, "a reply is no message of its type");
        answer_end(answer, QUOIT_CANCELLED, "cancelled");
        answer->is_over = true;
        return r;
}

static int on_head(unsigned status, const struct metadata *fields, void *user)
{
        struct answer_parts *answer = user;
        const struct http1_call *call = answer->call;
        struct metadata headers = { 0 };
        int r;

        answer->http_status = status;
        if (fields_get(fields, "content-encoding").size)
                return answer_refuse(answer, "the answer is compressed, which was not asked for");
        r = protocol_of(call)->take_head(answer, fields);
        if (r < 0)
                return r;
        answer->form = (enum answer_form)r;
        if (answer->form == ANSWER_FOREIGN)
                return 0;
        answer->end->is_known = answer->form != ANSWER_ERROR; /* of that, the body shows it */
        r = fields_add_own(&headers, fields, false, call->arena);
        if (r < 0)
                return r;
        if (answer->form != ANSWER_EMPTY && call->on_headers)
                call->on_headers(&headers, call->user);
        if (answer->form == ANSWER_EMPTY)
                answer->end->trailers = headers;
        return 0;
}

static int on_frame(uint8_t flags, upb_StringView data, void *user)
{
        struct answer_parts *answer = user;

        if (flags & FRAME_COMPRESSED)
                return answer_refuse(answer, "a message is compressed, which was not asked for");
        if (answer->has_end)
                return answer_refuse(answer, "there is more behind the status");
        return protocol_of(answer->call)->take_frame(answer, flags, data);
}

static int on_body(const char *bytes, size_t size, void *user)
{
        struct answer_parts *answer = user;
        size_t most =
                answer->form == ANSWER_MESSAGE ? answer->call->message_bytes_max : ERROR_BYTES_MAX;

        if (answer->form == ANSWER_FRAMES)
                return frames_take(&answer->frames, bytes, size, on_frame, answer);
        if (answer->form == ANSWER_FOREIGN || answer->form == ANSWER_EMPTY)
                return 0;
        if (size > most - answer->body.size)
                return -EMSGSIZE;
        return bytes_add(&answer->body, bytes, size);
}

/* ---- its end ---- */

/* gRPC's doc/http-grpc-status-mapping.md; Connect's table is the same. */
static quoit_status status_of_http(unsigned status)
{
        switch (status) {
        case 400:
                return QUOIT_INTERNAL;
        case 401:
                return QUOIT_UNAUTHENTICATED;
        case 403:
                return QUOIT_PERMISSION_DENIED;
        case 404:
                return QUOIT_UNIMPLEMENTED;
        case 429:
        case 502:
        case 503:
        case 504:
                return QUOIT_UNAVAILABLE;
        default:
                return QUOIT_UNKNOWN;
        }
}

/* A server that has made the call answers otherwise. */
static bool is_not_taken(unsigned status)
{
        switch (status) {
        case 200: /* of a gRPC server behind a proxy, which does not know the content-type */
        case 400:
        case 404:
        case 405:
        case 406:
        case 415:
        case 501:
        case 505:
                return true;
        default:
                return false;
        }
}

static void end_foreign(struct answer_parts *answer)
{
        answer->end->is_foreign = is_not_taken(answer->http_status);
        if (answer->http_status == 505 && answer->call->method->kind == QUOIT_BIDI)
                answer_end(answer, QUOIT_UNIMPLEMENTED,
                        "the server takes streams in both directions by HTTP/2 only");
        else
                answer_end(answer, status_of_http(answer->http_status),
                        "the server answers HTTP status %u, not as %s does; see --protocol",
                        answer->http_status, protocol_name(answer->call->protocol));
}

/* By its own framing, however the connection has ended. */
static bool is_whole(const struct answer_parts *answer)
{
        return answer->has_end && !frames_is_cut(&answer->frames);
}

static int end_error(struct answer_parts *answer)
{
        int r = protocol_of(answer->call)->take_error(answer);

        answer->end->is_known = r == 0;
        if (r != -EBADMSG)
                return r;
        end_foreign(answer);
        return 0;
}

static int end_whole(struct answer_parts *answer)
{
        switch (answer->form) {
        case ANSWER_FOREIGN:
                end_foreign(answer);
                return 0;
        case ANSWER_MESSAGE:
                answer->end->status = QUOIT_OK;
                return answer_message(answer, bytes_view(&answer->body));
        case ANSWER_ERROR:
                return end_error(answer);
        case ANSWER_FRAMES:
                if (!is_whole(answer))
                        answer_end(answer, QUOIT_INTERNAL, "the answer ends without a status");
                return 0;
        case ANSWER_EMPTY:
                return 0;
        }
        return 0;
}

static void end_broken(struct answer_parts *answer, int r)
{
        if (answer->is_over)
                return;
        switch (r) {
        case -ETIMEDOUT:
                answer_end(answer, QUOIT_DEADLINE_EXCEEDED, "the deadline has passed");
                return;
        case -ECANCELED:
                answer->end->is_stopped = true;
                answer_end(answer, QUOIT_CANCELLED, "cancelled");
                return;
        case -EMSGSIZE:
                answer_end(answer, QUOIT_RESOURCE_EXHAUSTED,
                        "the answer is over a limit: --max-msg-sz, %d fields, or %d KiB of them",
                        ANSWER_FIELDS_MAX, ANSWER_FIELD_BYTES_MAX / 1024);
                return;
        case -EINVAL:
                answer_end(answer, QUOIT_INTERNAL, "metadata that no field can have");
                return;
        case -EBADMSG:
                answer_end(answer, QUOIT_INTERNAL, "the answer is not HTTP/1.1");
                return;
        default:
                answer_end(answer, QUOIT_UNAVAILABLE, "%s", strerror(-r));
        }
}

/* ---- the whole ---- */

static int talk(struct answer_parts *answer, upb_StringView request)
{
        struct http1_call *call = answer->call;
        quoit_error error;
        struct wire wire;
        struct exchange exchange = { .wire = &wire,
                .stop_fd = call->stop_fd,
                .arena = call->arena,
                .on_head = on_head,
                .on_body = on_body,
                .user = answer };
        int r = http1_way_connect(call->way, call->deadline_ns, &wire, &error);

        if (r < 0) {
                answer_end(answer, error.status, "%s", error.text);
                answer->is_over = true;
                return r;
        }
        r = exchange_run(&exchange, request);
        wire_close(&wire);
        return r;
}

void http1_call_run(struct http1_call *call, struct http1_end *ret_end)
{
        struct answer_parts answer = {
                .call = call, .end = ret_end, .frames.bytes_max = call->message_bytes_max
        };
        struct bytes request = { 0 };
        int r = print_request(&request, call);

        *ret_end = (struct http1_end){ .message = upb_StringView_FromDataAndSize("", 0) };
        if (r == 0)
                r = talk(&answer, bytes_view(&request));
        if (r == 0 || (r == -ECONNRESET && is_whole(&answer)))
                r = end_whole(&answer);
        if (r < 0)
                end_broken(&answer, r);
        bytes_deinit(&request);
        bytes_deinit(&answer.body);
        frames_deinit(&answer.frames);
}
