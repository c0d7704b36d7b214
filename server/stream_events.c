/* SPDX-License-Identifier: MIT */
#include "server/stream_events.h"

#include <errno.h>

#include "call/dialect.h"
#include "server/admission.h"
#include "server/faults.h"
#include "server/http_request.h"
#include "server/request.h"
#include "server/shard.h"

static struct shard *shard_of(const struct call_group *group)
{
        return group->host->user;
}

static struct stream *on_stream(void *user)
{
        struct call_group *group = user;
        struct quoit_call *call;

        /* nghttp2 limits open streams; twice as many here, as an honest client that cancels starts the next at once */
        if (group->charged_to_peer >= 2 * group->host->limits->streams_max)
                return NULL; /* REFUSED_STREAM: clients retry by themselves */
        call = call_new(group);
        return call ? &call->exchange.stream : NULL;
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        struct quoit_call *call = call_of_stream(stream);

        request_add_field(call, &shard_of(call->exchange.group)->server->router, field);
}

static bool came_in_by_admin(const struct call_group *group)
{
        const struct server_listener *listener = group->listener;

        return listener && listener->is_admin;
}

static void on_headers(struct stream *stream, bool oversize)
{
        struct quoit_call *call = call_of_stream(stream);

        request_accept(call, oversize, &shard_of(call->exchange.group)->server->http_routes,
                came_in_by_admin(call->exchange.group));
        if (call->ring.state == CALL_OPEN &&
                !admission_begin_call(call, shard_of(call->exchange.group)))
                return;
        if (call->ring.state == CALL_OPEN && (call_takes_many(call) || interceptors_remain(call)))
                call_wake(call);
}

static void refuse_data(struct quoit_call *call, int error)
{
        switch (error) {
        case -EMSGSIZE:
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, REQUEST_TOO_LONG);
                break;
        case -ENOBUFS:
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the connection's unfinished requests are over the limit "
                        "(connection_receive_bytes_max)");
                break;
        case -ENOSPC:
                call_refuse_memory(call);
                break;
        case -EPROTO:
                call_cancel(call, QUOIT_INTERNAL, "malformed message prefix");
                break;
        case -EBADMSG:
                call_cancel(call, QUOIT_INVALID_ARGUMENT, "malformed message in the query");
                break;
        case -ENOTSUP:
                call_cancel(call, QUOIT_INTERNAL, "compressed message without grpc-encoding");
                break;
        default:
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                break;
        }
}

static int receive(struct quoit_call *call, const uint8_t *data, size_t size)
{
        if (call->front && call->front->dialect->receive)
                return call->front->dialect->receive(call, data, size);
        return reader_feed(&call->exchange, data, size);
}

static int receive_end(struct quoit_call *call)
{
        return call->front && call->front->dialect->receive_end
                       ? call->front->dialect->receive_end(call)
                       : 0;
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct quoit_call *call = call_of_stream(stream);
        int r;

        if (call->request.is_http) {
                http_request_data(call);
                return;
        }
        if (call->ring.state != CALL_OPEN)
                return; /* it has its answer; further data is dropped */
        r = receive(call, data, size);
        if (r < 0)
                refuse_data(call, r);
        else if (!call_takes_many(call) && call->exchange.reader.messages > 1)
                call_cancel(call, QUOIT_UNIMPLEMENTED, "more than one request message");
        else if (call_takes_many(call) && call->exchange.reader.first)
                call_wake(call);
}

static void on_end(struct stream *stream)
{
        struct quoit_call *call = call_of_stream(stream);
        int r;

        if (call->request.is_http) {
                http_request_end(call);
                return;
        }
        if (call->ring.state != CALL_OPEN)
                return;
        r = receive_end(call);
        if (r < 0)
                refuse_data(call, r);
        else if (!framing_idle(&call->exchange.reader.framing))
                call_cancel(call, QUOIT_INTERNAL, "the request ends within a message");
        else if (!call_takes_many(call) && call->exchange.reader.messages == 0)
                call_cancel(call, QUOIT_UNIMPLEMENTED, "no request message");
        else
                call_wake(call);
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        return call_pull(call_of_stream(stream), size_max);
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        call_write(call_of_stream(stream), output, size);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        call_on_stream_closed(call_of_stream(stream), error_code == NGHTTP2_NO_ERROR);
}

static void on_unpinned(struct stream *stream)
{
        struct quoit_call *call = call_of_stream(stream);

        writer_unpinned(&call->exchange);
        call_release(call);
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        faults_on_malformed(user, what);
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        faults_on_fault(user, error_code, text, size);
}

const struct session_events stream_events = {
        .on_stream = on_stream,
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
};
