/* SPDX-License-Identifier: MIT */
#include "http1_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct request *of(struct stream *stream)
{
        return (struct request *)stream;
}

void peer_respond(struct request *request, const char *body, bool is_last)
{
        struct peer *peer = request->peer;
        const char *status = peer->status ? peer->status : "200";
        const nghttp2_nv fields[] = {
                { (uint8_t *)":status", (uint8_t *)status, 7, strlen(status), 0 },
                { (uint8_t *)"x-a", (uint8_t *)"b", 3, 1, 0 },
        };

        request->answer = body;
        request->answer_size = strlen(body);
        request->is_last = is_last;
        assert_int_equal(stream_respond(&request->stream, fields, 2, false), 0);
}

static struct stream *on_stream(void *user)
{
        struct peer *peer = user;
        struct request *request = peer->requests + peer->count;

        if (peer->refuses || peer->count == PEER_REQUESTS_MAX)
                return NULL;
        peer->count++;
        request->peer = peer;
        list_init(&request->stream.link);
        return &request->stream;
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        struct request *request = of(stream);
        size_t size = strlen(request->fields);

        assert_int_equal(request->headers, 0);
        snprintf(request->fields + size, sizeof(request->fields) - size, "%.*s: %.*s\n",
                (int)field->name_size, field->name, (int)field->value_size, field->value);
}

static void on_headers(struct stream *stream, bool oversize)
{
        assert_false(oversize);
        of(stream)->headers++;
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct request *request = of(stream);

        assert_int_equal(request->headers, 1);
        assert_int_equal(request->ends, 0);
        if (request->body_size + size < sizeof(request->body))
                memcpy(request->body + request->body_size, data, size);
        request->body_size += size;
        if (!request->peer->keeps)
                stream_consume(stream, (uint32_t)size);
}

static void on_end(struct stream *stream)
{
        struct request *request = of(stream);

        assert_int_equal(request->headers, 1);
        request->ends++;
        if (!request->peer->holds)
                peer_respond(request, "hello", true);
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        static const nghttp2_nv trailer = { (uint8_t *)"x-end", (uint8_t *)"1", 5, 1, 0 };
        struct request *request = of(stream);
        size_t size = request->answer_size < size_max ? request->answer_size : size_max;
        bool last = request->is_last && size == request->answer_size;

        if (last && request->has_trailers)
                assert_int_equal(stream_submit_trailers(stream, &trailer, 1), 0);
        return (struct session_pull){ .size = size, .last = last };
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        struct request *request = of(stream);

        assert_true(size <= request->answer_size);
        if (size > 1000 && output_can_refer(output))
                output_refer(output, request->answer, size, stream);
        else
                output_copy(output, request->answer, size);
        request->answer += size;
        request->answer_size -= size;
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        assert_int_equal(stream->state, STREAM_CLOSED);
        assert_null(stream->session);
        of(stream)->closes++;
        of(stream)->error_code = error_code;
}

static void on_unpinned(struct stream *stream)
{
        of(stream)->unpins++;
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        (void)user;
        (void)what;
        fail();
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        struct peer *peer = user;

        assert_int_equal(error_code, NGHTTP2_NO_ERROR);
        assert_string_equal(peer->fault, "");
        snprintf(peer->fault, sizeof(peer->fault), "%.*s", (int)size, text);
}

static const struct session_events events = {
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

int peer_begin(void **state)
{
        struct peer *peer = calloc(1, sizeof(*peer));

        peer->limits = (quoit_limits){
                .streams_max = 32,
                .header_fields_max = 20,
                .header_bytes_max = 2000,
                .header_bytes_hard_max = 4000,
                .stream_window_bytes = 1000,
                .connection_window_bytes = 256 << 10,
                .frame_bytes_max = 32 << 10,
                .continuation_frames_max = 8,
                .control_queue_max = 100,
                .empty_frames_max = 100,
                .glitches_burst_max = 1000,
                .glitches_per_second = 1,
        };
        memory_init(&peer->memory);
        assert_int_equal(session_init_server(
                                 &peer->session, &peer->memory.h2, &peer->limits, 1, &events, peer),
                0);
        session_allow_http1(&peer->session, &peer->memory.h2, false);
        *state = peer;
        return 0;
}

int peer_end(void **state)
{
        struct peer *peer = *state;

        session_deinit(&peer->session);
        for (unsigned i = 0; i < peer->count; i++) {
                assert_int_equal(peer->requests[i].closes, 1);
                assert_int_equal(peer->requests[i].stream.pins, 0);
        }
        assert_int_equal(peer->session.stream_count, 0);
        memory_deinit(&peer->memory);
        free(peer);
        return 0;
}

void peer_send(struct peer *peer, size_t bytes_max)
{
        static struct output output;

        output_init(&output, bytes_max);
        assert_int_equal(session_fill(&peer->session, &output), 0);
        for (unsigned i = 0; i < output.iov_count; i++) {
                assert_true(peer->said_size + output.iov[i].iov_len < sizeof(peer->said));
                memcpy(peer->said + peer->said_size, output.iov[i].iov_base, output.iov[i].iov_len);
                peer->said_size += output.iov[i].iov_len;
        }
        session_release(&events, &output);
}

int peer_run(struct peer *peer)
{
        int r = 0;

        for (;;) {
                while (session_has_output(&peer->session))
                        peer_send(peer, 256 << 10);
                if (r < 0 || !session_has_input(&peer->session))
                        return r;
                r = session_feed(&peer->session, (const uint8_t *)"", 0);
        }
}

int peer_hear_bytes(struct peer *peer, const void *data, size_t size)
{
        int r = session_feed(&peer->session, data, size);
        int later = peer_run(peer);

        return r < 0 ? r : later;
}

int peer_hear(struct peer *peer, const char *text)
{
        return peer_hear_bytes(peer, text, strlen(text));
}
