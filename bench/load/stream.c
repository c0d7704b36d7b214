/* SPDX-License-Identifier: MIT */
#include "bench/load/stream.h"

#include <stdio.h>
#include <string.h>

#include "bench/load/h2.h"

void stream_begin(struct stream *stream, uint32_t id, const struct method *method,
        const struct schedule_call *call, uint32_t window)
{
        *stream = (struct stream){ .method = method, .call = *call, .id = id, .window = window };
        list_init(&stream->link);
}

bool stream_wants_to_send(const struct stream *stream)
{
        if (stream->half_closed)
                return false;
        return stream->method->kind != METHOD_BIDI || stream->messages_sent <= stream->messages;
}

bool stream_is_at_last_message(const struct stream *stream)
{
        return stream->messages_sent + 1 == stream->method->messages;
}

static void find_fault(struct stream *stream, const char *fault)
{
        if (!stream->fault)
                stream->fault = fault;
}

void stream_take_fields(struct stream *stream, const struct hpack_fields *fields, bool ends)
{
        if (stream->http_status != 0) {
                if (!ends)
                        find_fault(stream, "header block amid the answer");
                return;
        }
        if (fields->http_status == 0)
                find_fault(stream, "no :status");
        else if (fields->http_status == 200 && !fields->is_grpc)
                find_fault(stream, "content-type is not application/grpc");
        if (fields->http_status >= 200)
                stream->http_status = fields->http_status;
}

/* ---- messages ---- */

static void begin_message(struct stream *stream)
{
        stream->message_bytes = stream->message_left = h2_get_u32(stream->prefix + 1);
        if (stream->prefix[0] != 0)
                find_fault(stream, "compressed message");
        if (stream->method->expect_message &&
                stream->message_bytes != stream->method->expect_message_bytes)
                find_fault(stream, "message is not the expected one");
}

static void end_message(struct stream *stream)
{
        stream->messages++;
        stream->bytes += stream->message_bytes;
        stream->prefix_have = 0;
}

static size_t take_prefix(struct stream *stream, const unsigned char *bytes, size_t size)
{
        size_t wanted = MESSAGE_PREFIX_BYTES - stream->prefix_have;
        size_t taken = size < wanted ? size : wanted;

        memcpy(stream->prefix + stream->prefix_have, bytes, taken);
        stream->prefix_have += (uint8_t)taken;
        if (taken < wanted)
                return taken;
        begin_message(stream);
        if (stream->message_left == 0)
                end_message(stream);
        return taken;
}

static size_t take_message(struct stream *stream, const unsigned char *bytes, size_t size)
{
        size_t taken = size < stream->message_left ? size : stream->message_left;
        const unsigned char *expected = stream->method->expect_message;

        if (expected && !stream->fault) {
                expected += stream->message_bytes - stream->message_left;
                if (memcmp(bytes, expected, taken) != 0)
                        find_fault(stream, "message is not the expected one");
        }
        stream->message_left -= (uint32_t)taken;
        if (stream->message_left == 0)
                end_message(stream);
        return taken;
}

void stream_take_data(struct stream *stream, const unsigned char *bytes, size_t size)
{
        if (stream->http_status == 0)
                find_fault(stream, "DATA before the headers");
        while (size > 0) {
                size_t taken = stream->prefix_have < MESSAGE_PREFIX_BYTES
                                       ? take_prefix(stream, bytes, size)
                                       : take_message(stream, bytes, size);

                bytes += taken;
                size -= taken;
        }
}

/* ---- the end ---- */

static const char *status_verdict(const struct stream *stream, const struct hpack_fields *trailers,
        char *text, size_t text_size)
{
        if (trailers->grpc_status == 0)
                return NULL;
        if (trailers->grpc_status > 0)
                snprintf(text, text_size, "grpc-status %d%s%s", trailers->grpc_status,
                        *trailers->grpc_message ? ": " : "", trailers->grpc_message);
        else if (stream->http_status != 200)
                snprintf(text, text_size, "HTTP status %d", stream->http_status);
        else
                return "no grpc-status";
        return text;
}

static const char *expectation_verdict(const struct stream *stream, char *text, size_t text_size)
{
        const struct method *method = stream->method;

        if (stream->prefix_have > 0)
                return "message cut short";
        if (method->expect_messages != EXPECT_ANY && method->expect_messages != stream->messages)
                snprintf(text, text_size, "%lld messages instead of %lld",
                        (long long)stream->messages, (long long)method->expect_messages);
        else if (method->expect_bytes != EXPECT_ANY && method->expect_bytes != stream->bytes)
                snprintf(text, text_size, "%lld bytes of messages instead of %lld",
                        (long long)stream->bytes, (long long)method->expect_bytes);
        else
                return NULL;
        return text;
}

const char *stream_verdict(
        struct stream *stream, const struct hpack_fields *trailers, char *text, size_t text_size)
{
        const char *verdict;

        if (!trailers)
                return "no trailers";
        /* An error's status says more than what is missing because of it. */
        verdict = status_verdict(stream, trailers, text, text_size);
        if (!verdict)
                verdict = stream->fault;
        return verdict ? verdict : expectation_verdict(stream, text, text_size);
}
