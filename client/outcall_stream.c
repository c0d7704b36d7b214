/* SPDX-License-Identifier: MIT */
#include "client/outcall_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "client/client_connection.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "client/outcall_response.h"
#include "client/outcall_retry.h"
#include "client/subchannel.h"

#define TEXT_BYTES 512

static struct client_connection *connection_of(const struct quoit_outcall *call)
{
        return client_connection_of(call->exchange.group);
}

/* ---- streams ---- */

static void on_field(struct stream *stream, const struct session_field *field)
{
        response_add_field(outcall_of_stream(stream), field);
}

static void on_headers(struct stream *stream, bool oversize)
{
        struct quoit_outcall *call = outcall_of_stream(stream);

        if (!call->is_check)
                connection_of(call)->has_served = true;
        response_on_headers(call, oversize);
}

/* Of the server's fault, for the log; its call hears of it too. */
static void report(struct quoit_outcall *call, const char *text)
{
        struct call_group *group = call->exchange.group;

        if (call_group_may_report_malformed(group))
                call_group_report(group, "%s: %s: %s: %s", call->channel->handle->target,
                        group->peer->address, call->method->path, text);
}

static void fail_malformed(struct quoit_outcall *call, const char *text)
{
        report(call, text);
        outcall_fail(call, QUOIT_INTERNAL, text);
}

static void refuse_data(struct quoit_outcall *call, int error)
{
        switch (error) {
        case -EMSGSIZE:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "a message of the server is over the limit (message_receive_bytes_max)");
                break;
        case -ENOBUFS:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the connection's unfinished responses are over the limit "
                        "(connection_receive_bytes_max)");
                break;
        case -EPROTO:
                fail_malformed(call, "the server sent a malformed message prefix");
                break;
        case -ENOTSUP:
                fail_malformed(call, "the server sent a compressed message without grpc-encoding");
                break;
        default:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                break;
        }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct quoit_outcall *call = outcall_of_stream(stream);
        int r;

        if (call->state != OUTCALL_OPEN)
                return;
        r = reader_feed(&call->exchange, data, size);
        if (r < 0)
                refuse_data(call, r);
        else if (!call->exchange.takes_many && call->exchange.reader.messages > 1)
                outcall_fail(call, QUOIT_UNIMPLEMENTED,
                        "the server sent more than one message, where one is due");
        else if (call->exchange.takes_many && call->exchange.reader.first)
                outcall_wake(call);
}

static void on_end(struct stream *stream)
{
        response_on_end(outcall_of_stream(stream));
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        return outcall_pull(outcall_of_stream(stream), size_max);
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        outcall_write(outcall_of_stream(stream), output, size);
}

/* The call has lost its connection. */
static void finish_lost(struct quoit_outcall *call, struct client_connection *connection)
{
        char text[TEXT_BYTES];

        if (connection->connection.error < 0)
                client_connection_note_why(connection, QUOIT_LOG_INFO, "%s",
                        strerrordesc_np(-connection->connection.error));
        snprintf(text, sizeof(text), "the connection to %s was lost: %s",
                connection->connection.peer.address,
                connection->why[0] ? connection->why : "the server closed it");
        outcall_finish_attempt(call, QUOIT_UNAVAILABLE, text);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct quoit_outcall *call = outcall_of_stream(stream);
        struct client_connection *connection = connection_of(call);
        bool is_unprocessed = stream->unsent || error_code == NGHTTP2_REFUSED_STREAM;

        counter_add(error_code == NGHTTP2_NO_ERROR ? &connection->connection.group.counts.succeeded
                                                   : &connection->connection.group.counts.failed,
                1);
        if (connection->subchannel && call->channel->queued > 0)
                channel_stir(call->channel); /* there is room for another call */
        if (stream->unsent &&
                error_code == NGHTTP2_INTERNAL_ERROR) /* nor would it be the next time */
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the request's header block is too large to be sent");
        if (call->state == OUTCALL_LEAVING) {
                outcall_leave(call);
                return;
        }
        if (is_unprocessed &&
                outcall_retry_unprocessed(call, !stream->unsent && !connection->is_leaving))
                return;
        if (connection->connection.state >= CONNECTION_CLOSING && !outcall_is_over(call))
                finish_lost(call, connection);
        else
                response_on_reset(call, error_code);
        outcall_release(call);
}

static void on_unpinned(struct stream *stream)
{
        outcall_on_unpinned(outcall_of_stream(stream));
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        struct quoit_outcall *call = outcall_of_stream(what->stream);
        char text[TEXT_BYTES];

        (void)user;
        if (what->rule && strcmp(what->rule, SESSION_RULE_LARGE) == 0) {
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "the server sent " SESSION_RULE_LARGE);
                return;
        }
        snprintf(text, sizeof(text), "the server's response is malformed: %s%s%.*s",
                what->rule ? what->rule : "its fields contradict each other",
                what->name ? ": " : "", what->name ? (int)what->name_size : 0,
                what->name ? what->name : "");
        report(call, text);
        outcall_fail_attempt(call, QUOIT_INTERNAL, text);
}

/* ---- the connection ---- */

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        client_connection_note_why(client_connection_of(user), QUOIT_LOG_WARNING,
                "the server broke HTTP/2 (%s%s%.*s)", nghttp2_http2_strerror(error_code),
                size > 0 ? ": " : "", (int)size, text);
}

/* A server that leaves in good order is nobody's fault. */
static quoit_log_level level_of_goaway(uint32_t error_code)
{
        if (error_code == NGHTTP2_NO_ERROR)
                return QUOIT_LOG_DEBUG;
        return error_code == NGHTTP2_ENHANCE_YOUR_CALM ? QUOIT_LOG_WARNING : QUOIT_LOG_INFO;
}

/* The server has had too many of our PINGs: later connections of the channel ask half as often (gRPC's proposal A8). */
static bool slow_pings_down(
        const struct client_connection *connection, const struct session_goaway *goaway)
{
        static const char text[] = "too_many_pings";
        struct channel *channel = connection->subchannel ? connection->subchannel->channel : NULL;
        uint32_t used_ms = connection->connection.keepalive.silence_ms;

        if (!channel || goaway->error_code != NGHTTP2_ENHANCE_YOUR_CALM ||
                goaway->text_size != strlen(text) || memcmp(goaway->text, text, strlen(text)) != 0)
                return false;
        if (used_ms < channel->keepalive_ms || used_ms > INT32_MAX) /* that is done; or not ours */
                return false;
        channel->keepalive_ms = 2 * used_ms;
        return true;
}

static void on_goaway(void *user, const struct session_goaway *goaway)
{
        struct client_connection *connection = client_connection_of(user);
        char slower[64] = "";

        if (slow_pings_down(connection, goaway))
                snprintf(slower, sizeof(slower), "; keepalive_ms is %" PRIu32 " now",
                        connection->subchannel->channel->keepalive_ms);
        client_connection_note_why(connection, level_of_goaway(goaway->error_code),
                "the server sent GOAWAY (%s%s%.*s)%s", nghttp2_http2_strerror(goaway->error_code),
                goaway->text_size > 0 ? ": " : "", (int)goaway->text_size, goaway->text, slower);
        connection->is_leaving = true;
        client_connection_note(connection);
}

static void on_settings(void *user)
{
        struct client_connection *connection = client_connection_of(user);

        connection->is_ready = true;
        client_connection_note(connection);
}

const struct session_events outcall_stream_events = {
        .on_field = on_field,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_end = on_end,
        .on_pull = on_pull,
        .on_write = on_write,
        .on_close = on_close,
        .on_unpinned = on_unpinned,
        .on_malformed = on_malformed,
        .on_fault = on_fault,
        .on_goaway = on_goaway,
        .on_settings = on_settings,
};
