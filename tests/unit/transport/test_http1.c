/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 on a server's session: what is raised of requests, however they are cut, what is answered, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/memory.h"
#include "transport/session.h"

#define REQUESTS_MAX 40
#define TEXT_BYTES 4096

/* A request, as the events tell it, and how it is answered. */
struct request {
        struct stream stream; /* first */
        struct peer *peer;
        char fields[TEXT_BYTES]; /* "name: value\n" each */
        char body[TEXT_BYTES];
        size_t body_size; /* also of what has no room there */
        unsigned headers, ends, closes, unpins;
        uint32_t error_code;
        const char *answer; /* what is left of its body */
        size_t answer_size;
        bool is_last; /* it ends with that */
        bool has_trailers;
};

struct peer {
        struct memory memory;
        quoit_limits limits;
        struct session session;
        struct request requests[REQUESTS_MAX];
        unsigned count;
        bool refuses; /* on_stream says no */
        bool keeps; /* what comes is not consumed */
        bool holds; /* requests are not answered by themselves */
        const char *status; /* of the answers; NULL: 200 */
        char fault[256];
        char said[1 << 20]; /* all that was sent to the client */
        size_t said_size;
};

static struct request *of(struct stream *stream)
{
        return (struct request *)stream;
}

static void respond(struct request *request, const char *body, bool is_last)
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

        if (peer->refuses || peer->count == REQUESTS_MAX)
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
                respond(request, "hello", true);
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

static int begin(void **state)
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

static int end(void **state)
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

/* One output goes to the client. */
static void send_one(struct peer *peer, size_t bytes_max)
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

/* As a connection does: all that can be answered is, and what waits behind it is taken. */
static int run(struct peer *peer)
{
        int r = 0;

        for (;;) {
                while (session_has_output(&peer->session))
                        send_one(peer, 256 << 10);
                if (r < 0 || !session_has_input(&peer->session))
                        return r;
                r = session_feed(&peer->session, (const uint8_t *)"", 0);
        }
}

static int hear_bytes(struct peer *peer, const void *data, size_t size)
{
        int r = session_feed(&peer->session, data, size);
        int later = run(peer);

        return r < 0 ? r : later;
}

static int hear(struct peer *peer, const char *text)
{
        return hear_bytes(peer, text, strlen(text));
}

#define GET "GET /p?q=1 HTTP/1.1\r\nHost: me:80\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n\r\nhello"
#define HELLO_CLOSE                                                                                \
        "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"

/* ---- requests ---- */

static void test_get(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(hear(peer, "GET /p?q=1 HTTP/1.1\r\nHost: me:80\r\nAccept:  a/b, */* \r\n"
                                    "X-Empty:\r\nX-Tab:\ta\t\r\n\r\n"),
                0);
        assert_string_equal(peer->requests[0].fields,
                ":method: GET\n:path: /p?q=1\n:authority: me:80\n:scheme: http\n"
                "accept: a/b, */*\nx-empty: \nx-tab: a\n");
        assert_string_equal(peer->said, HELLO);
        assert_int_equal(peer->requests[0].ends, 1);
        assert_int_equal(peer->requests[0].error_code, NGHTTP2_NO_ERROR);
        assert_false(session_is_over(&peer->session));
        assert_true(peer->session.settings_received);
        assert_null(peer->session.h2);
}

static const char post[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabcdef"
                           "PUT /b HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
                           "3\r\nabc\r\n003\r\ndef\r\n0\r\nX-Trailer: 1\r\n\r\n" GET;

/* Every cut, and byte by byte: the events are the same. */
static void test_cuts(void **state)
{
        (void)state;
        for (size_t cut = 0; cut <= sizeof(post); cut++) {
                void *own;
                struct peer *peer;

                begin(&own);
                peer = own;
                if (cut == sizeof(post)) {
                        for (size_t i = 0; i < sizeof(post) - 1; i++)
                                assert_int_equal(hear_bytes(peer, post + i, 1), 0);
                } else {
                        assert_int_equal(hear_bytes(peer, post, cut), 0);
                        assert_int_equal(hear_bytes(peer, post + cut, sizeof(post) - 1 - cut), 0);
                }
                assert_int_equal(peer->count, 3);
                assert_string_equal(peer->requests[0].fields,
                        ":method: POST\n:path: /a\n:authority: x\n:scheme: http\n"
                        "content-length: 6\n");
                assert_string_equal(peer->requests[1].fields,
                        ":method: PUT\n:path: /b\n:authority: x\n:scheme: http\n");
                assert_string_equal(peer->requests[0].body, "abcdef");
                assert_string_equal(peer->requests[1].body, "abcdef");
                assert_string_equal(peer->said, HELLO HELLO HELLO);
                end(&own);
        }
}

/* One after the other: the next one is not begun before the first is answered. */
static void test_pipelining(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        assert_int_equal(hear(peer, GET GET GET), 0);
        assert_int_equal(peer->count, 1);
        assert_true(session_is_full(&peer->session));
        assert_false(session_has_input(&peer->session));
        assert_int_equal(hear(peer, GET), 0); /* was on its way */
        for (unsigned i = 0; i < 4; i++) {
                assert_int_equal(peer->count, i + 1);
                assert_int_equal(peer->requests[i].ends, 1);
                respond(peer->requests + i, "hello", true);
                assert_int_equal(run(peer), 0);
        }
        assert_false(session_is_full(&peer->session));
        assert_string_equal(peer->said, HELLO HELLO HELLO HELLO);
        assert_int_equal(peer->requests[3].stream.id, 7);
}

static void test_body_is_limited_by_what_is_consumed(void **state)
{
        struct peer *peer = *state;
        char piece[600] = { 0 };

        peer->keeps = true;
        assert_int_equal(
                hear(peer, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1800\r\n\r\n"), 0);
        assert_int_equal(hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_false(session_is_full(&peer->session));
        assert_int_equal(hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_true(session_is_full(&peer->session));
        stream_consume(&peer->requests[0].stream, 1200);
        assert_false(session_is_full(&peer->session));
        assert_int_equal(hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_int_equal(peer->requests[0].body_size, 1800);
        assert_string_equal(peer->said, HELLO);
}

static void test_targets(void **state)
{
        struct peer *peer = *state;

        hear(peer, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET http://other:1/a/b HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET HTTPS://[::1] HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET / HTTP/1.1\r\nHost:\r\n\r\n"
                   "GET / HTTP/1.1\r\nHost: [fe80::1%25a]:\r\n\r\n");
        assert_int_equal(peer->count, 5);
        assert_non_null(strstr(peer->requests[0].fields, ":path: *\n:authority: x\n"));
        assert_non_null(strstr(peer->requests[1].fields, ":path: /a/b\n:authority: other:1\n"));
        assert_non_null(strstr(peer->requests[2].fields, ":path: /\n:authority: [::1]\n"));
        assert_non_null(strstr(peer->requests[3].fields, ":path: /\n:authority: \n"));
        assert_non_null(strstr(peer->requests[4].fields, ":path: /\n:authority: [fe80::1%25a]:\n"));
}

static void test_connections_fields_are_not_the_requests(void **state)
{
        struct peer *peer = *state;

        hear(peer, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                   "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
                   "Proxy-Connection: a\r\nTrailer: b\r\nX: y\r\n\r\n" GET);
        assert_string_equal(peer->requests[0].fields,
                ":method: GET\n:path: /\n:authority: x\n:scheme: http\nx: y\n");
        assert_string_equal(peer->said, HELLO HELLO);
}

static void test_expect(void **state)
{
        struct peer *peer = *state;
        const char head[] = "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-Continue\r\n"
                            "content-length: 2\r\n\r\n";

        assert_int_equal(hear(peer, head), 0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_int_equal(hear(peer, "ab"), 0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n" HELLO);
        /* who does not wait is not told */
        assert_int_equal(hear(peer, "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                                    "content-length: 2\r\n\r\nab"),
                0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n" HELLO HELLO);
}

/* ---- answers ---- */

static void test_stream(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        hear(peer, GET);
        respond(peer->requests, "abc", false);
        run(peer);
        assert_string_equal(peer->said,
                "HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n"
                "\r\n3\r\nabc\r\n");
        assert_false(session_has_output(&peer->session));
        peer->said_size = 0;
        peer->requests[0].answer = "0123456789";
        peer->requests[0].answer_size = 10;
        peer->requests[0].is_last = peer->requests[0].has_trailers = true;
        stream_resume(&peer->requests[0].stream);
        run(peer);
        peer->said[peer->said_size] = '\0';
        assert_string_equal(peer->said, "a\r\n0123456789\r\n0\r\nx-end: 1\r\n\r\n");
        assert_false(session_is_over(&peer->session));
}

static void test_large(void **state)
{
        struct peer *peer = *state;
        char *large = malloc(500001);

        memset(large, 'x', 500000);
        large[500000] = '\0';
        peer->holds = true;
        hear(peer, GET);
        respond(peer->requests, large, true);
        while (session_has_output(&peer->session))
                send_one(peer, 1000); /* the connection sends little at once */
        assert_int_equal(peer->said_size,
                strlen("HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 500000\r\n\r\n") + 500000);
        hear(peer, GET);
        respond(peer->requests + 1, large, false);
        while (session_has_output(&peer->session))
                send_one(peer, 256 << 10);
        assert_true(peer->said_size > 1000000);
        assert_memory_equal(peer->said + peer->said_size - 3, "x\r\n", 3);
        assert_true(peer->requests[1].unpins > 0);
        free(large);
}

static void test_head(void **state)
{
        struct peer *peer = *state;

        hear(peer, "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n" GET);
        assert_string_equal(
                peer->said, "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n\r\n" HELLO);
}

static void test_statuses_without_body(void **state)
{
        struct peer *peer = *state;

        peer->status = "204";
        hear(peer, GET);
        assert_string_equal(peer->said, "HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n");
}

static void test_text(void **state)
{
        struct peer *peer = *state;
        const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"404", 7, 3, 0 };

        peer->holds = true;
        hear(peer, GET);
        stream_respond_text(&peer->requests[0].stream, &status, 1, "no\n");
        run(peer);
        assert_string_equal(peer->said, "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno\n");
}

/* No line of an answer can become two. */
static void test_values_are_tamed(void **state)
{
        struct peer *peer = *state;
        const nghttp2_nv fields[] = {
                { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 },
                { (uint8_t *)"a", (uint8_t *)"b\r\nset-cookie: c", 1, 16, 0 },
        };

        peer->holds = true;
        hear(peer, GET);
        stream_respond_text(&peer->requests[0].stream, fields, 2, "");
        run(peer);
        assert_string_equal(
                peer->said, "HTTP/1.1 200 OK\r\na: b  set-cookie: c\r\ncontent-length: 0\r\n\r\n");
}

/* ---- the connection's end ---- */

static void test_close(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(
                hear(peer, "GET / HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n" GET), 0);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_int_equal(peer->count, 1);
        assert_true(session_is_over(&peer->session));
        assert_int_equal(hear(peer, GET), 0);
        assert_int_equal(peer->count, 1);
}

static void test_http10(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        hear(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        respond(peer->requests, "hello", true);
        run(peer);
        assert_string_equal(peer->said, "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n"
                                        "connection: keep-alive\r\n\r\nhello");
        assert_false(session_is_over(&peer->session));
        memset(peer->said, 0, peer->said_size);
        peer->said_size = 0;
        hear(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        respond(peer->requests + 1, "he", false);
        run(peer);
        peer->requests[1].answer = "llo";
        peer->requests[1].answer_size = 3;
        peer->requests[1].is_last = true;
        stream_resume(&peer->requests[1].stream);
        run(peer);
        assert_string_equal(
                peer->said, "HTTP/1.1 200 OK\r\nx-a: b\r\nconnection: close\r\n\r\nhello");
        assert_true(session_is_over(&peer->session));
}

/* Who is answered before the end of a request has to be read to there, or cut off if that may be far. */
static void test_an_early_answer_closes(void **state)
{
        static const char *const heads[] = { "content-length: 65540\r\n\r\nabc",
                "content-length: 18446744073709551615\r\n\r\nabc",
                "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n" };

        for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
                struct peer *peer = *state;

                hear(peer, "POST / HTTP/1.1\r\nhost: x\r\n");
                hear(peer, heads[i]);
                respond(peer->requests, "hello", true);
                run(peer);
                assert_string_equal(peer->said, HELLO_CLOSE);
                assert_int_equal(peer->requests[0].closes, 1);
                assert_true(session_is_over(&peer->session));
                assert_int_equal(hear(peer, "more of it"), 0);
                assert_int_equal(end(state) + begin(state), 0);
        }
}

static void test_the_rest_of_a_short_body_is_dropped(void **state)
{
        struct peer *peer = *state;

        hear(peer, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 41\r\n\r\nabc");
        respond(peer->requests, "hello", true);
        run(peer);
        assert_string_equal(peer->said, HELLO);
        assert_int_equal(peer->requests[0].closes, 1);
        assert_false(session_is_over(&peer->session));
        /* it is no request, whatever it looks like; nor are these empty lines */
        assert_int_equal(hear(peer, "\r\nGET / \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), 0);
        assert_int_equal(hear(peer, "0123456789" GET), 0);
        assert_int_equal(peer->count, 2);
        assert_int_equal(peer->requests[0].body_size, 3);
        assert_string_equal(peer->said, HELLO HELLO);
}

/* A request that waits for 100 Continue; nothing is sent yet. */
static void expect(struct peer *peer)
{
        static const char head[] = "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                                   "content-length: 2\r\n\r\n";

        peer->holds = true;
        assert_int_equal(session_feed(&peer->session, (const uint8_t *)head, sizeof(head) - 1), 0);
}

/* Its client may send its body or not: nobody can tell what follows. */
static void test_an_early_answer_in_place_of_100(void **state)
{
        struct peer *peer = *state;

        expect(peer);
        respond(peer->requests, "hello", true);
        run(peer);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

/* A handler whose answer has begun waits for the body, and the client for 100. */
static void test_100_goes_before_an_answer_that_begins(void **state)
{
        struct peer *peer = *state;

        expect(peer);
        respond(peer->requests, "", false);
        run(peer);
        assert_string_equal(peer->said,
                "HTTP/1.1 100 Continue\r\n\r\n"
                "HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_int_equal(hear(peer, "ab"), 0);
        assert_int_equal(peer->requests[0].body_size, 2);
}

static void test_reset(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        hear(peer, GET);
        stream_reset(&peer->requests[0].stream, NGHTTP2_CANCEL);
        assert_int_equal(peer->requests[0].closes, 0);
        run(peer);
        assert_string_equal(peer->said, "HTTP/1.1 504 Gateway Timeout\r\nconnection: close\r\n"
                                        "content-length: 0\r\n\r\n");
        assert_int_equal(peer->requests[0].error_code, NGHTTP2_CANCEL);
        assert_true(session_is_over(&peer->session));
}

/* Not as if the answer had ended in order. */
static void test_reset_within_an_answer(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        hear(peer, GET);
        respond(peer->requests, "abc", false);
        run(peer);
        stream_reset(&peer->requests[0].stream, NGHTTP2_INTERNAL_ERROR);
        run(peer);
        assert_memory_equal(peer->said + peer->said_size - 5, "abc\r\n", 5);
        assert_true(session_is_over(&peer->session));
}

static void test_drain(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        hear(peer, GET);
        session_drain(&peer->session);
        respond(peer->requests, "hello", true);
        run(peer);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

/* A request that was on its way is answered. */
static void test_drain_while_idle(void **state)
{
        struct peer *peer = *state;

        hear(peer, GET);
        session_drain(&peer->session);
        assert_false(session_is_over(&peer->session));
        hear(peer, "GET / HTTP/1.1\r\nhos");
        session_drain_now(&peer->session);
        assert_false(session_is_over(&peer->session));
        hear(peer, "t: x\r\n\r\n");
        assert_string_equal(peer->said, HELLO HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

static void test_drain_of_an_idle_one(void **state)
{
        struct peer *peer = *state;

        hear(peer, GET);
        session_drain(&peer->session);
        session_drain_now(&peer->session);
        assert_true(session_is_over(&peer->session));
        assert_false(session_has_output(&peer->session));
}

/* ---- what is refused ---- */

#define H "Host: x\r\n"

static const struct {
        const char *status;
        const char *request;
} refused[] = {
        /* where the message ends */
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\na" },
        { "400", "POST / HTTP/1.1\r\n" H
                 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H
                 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H
                   "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H
                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" },
        { "4|501", "POST / HTTP/1.1\r\n" H
                   "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        /* lines */
        { "400", "GET / HTTP/1.1\nHost: x\n\n" },
        { "400", "GET / HTTP/1.1\r\nHost: x\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: x\r\n\n" },
        { "400", "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A:\r\n b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n A: b\r\n" H "\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A\t: b\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\nabcde" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H ": b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A\x01: b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A\xe9: b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\n" H "A: b\x0b\r\n\r\n" },
        /* chunks */
        { "400", "POST / HTTP/1.1\r\n" H
                 "Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H
                 "Transfer-Encoding: chunked\r\n\r\n1 ;a\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n" },
        { "400",
                "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\ng\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H
                 "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n" },
        { "400", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n" },
        /* hosts, targets, methods, versions */
        { "400", "GET / HTTP/1.1\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
        { "400", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n" },
        { "400", "GET / HTTP/1.1\r\nHost: a]\r\n\r\n" },
        { "400", "GET http://a:b/ HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET a HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET * HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET ftp://a/b HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET http:///b HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET http://u@a/b HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET /\x01 HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET /a#/../b HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET / RTSP/1.1\r\n" H "\r\n" },
        { "400", "OPTIONS * RTSP/1.0\r\n" H "\r\n" },
        { "400", "POST / RTSP/1.0\r\n" H "Content-Length: 1\r\n\r\na" },
        { "400", "SOURCE / ICE/1.0\r\n" H "\r\n" },
        { "400", "GET /  HTTP/1.1\r\n" H "\r\n" },
        { "400", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n" },
        { "505", "GET /\r\n" H "\r\n" },
        { "505", "GET / HTTP/2.0\r\n" H "\r\n" },
        { "400", "GET / HTTP/3.7\r\n" H "\r\n" },
        { "501", "GOT / HTTP/1.1\r\n" H "\r\n" },
        { "405", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n" },
        { "417", "POST / HTTP/1.1\r\n" H "Expect: gold\r\nContent-Length: 1\r\n\r\na" },
};

/* "4|501": either. For people there is a phrase, too. */
static bool is_status(const char *said, const char *status)
{
        if (strncmp(said, "HTTP/1.1 ", 9) != 0 || said[12] != ' ' || said[13] < 'A')
                return false;
        if (strcmp(status, "4|501") == 0)
                return strncmp(said + 9, "400", 3) == 0 || strncmp(said + 9, "501", 3) == 0;
        return strncmp(said + 9, status, 3) == 0;
}

/* Nothing behind a request that is refused is taken for another, and the connection ends. */
static void check_refused(const char *request, const char *status, size_t step)
{
        struct peer *peer;
        char all[8192];
        void *own;
        int r = 0;

        begin(&own);
        peer = own;
        peer->holds = true;
        assert_int_equal(hear(peer, GET), 0); /* a good one before it */
        respond(peer->requests, "", true);
        run(peer);
        memset(peer->said, 0, peer->said_size);
        peer->said_size = 0;
        snprintf(all, sizeof(all), "%s%s", request, GET);
        for (size_t at = 0; at < strlen(all) && r == 0; at += step) {
                size_t left = strlen(all) - at;

                r = hear_bytes(peer, all + at, left < step ? left : step);
        }
        if (r == 0 || !is_status(peer->said, status) || peer->count > 2)
                fail_msg("not refused with %s: %s: %s", status, request, peer->said);
        assert_non_null(strstr(peer->said, "\r\nconnection: close\r\n"));
        assert_null(strstr(peer->said + 1, "HTTP/1.1 "));
        assert_true(session_is_over(&peer->session));
        assert_false(peer->session.http1->is_whole); /* its client may still send the rest */
        assert_string_not_equal(peer->fault, "");
        for (unsigned i = 1; i < peer->count; i++)
                assert_int_equal(peer->requests[i].ends, 0);
        assert_true(hear(peer, GET) < 0);
        end(&own);
}

static void test_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
                check_refused(refused[i].request, refused[i].status, 10000);
                check_refused(refused[i].request, refused[i].status, 1);
        }
}

static void test_nul_bytes(void **state)
{
        struct peer *peer = *state;
        const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";

        assert_true(hear_bytes(peer, request, sizeof(request) - 1) < 0);
        assert_true(is_status(peer->said, "400"));
}

static char *with_long(const char *before, size_t size, const char *after)
{
        char *text = calloc(1, strlen(before) + size + strlen(after) + 1);

        strcpy(text, before);
        memset(text + strlen(before), 'a', size);
        strcat(text, after);
        return text;
}

static void test_limits(void **state)
{
        const struct {
                const char *status, *before, *after;
                size_t size;
        } cases[] = {
                { "200", "GET /", " HTTP/1.1\r\nhost: x\r\n\r\n", 1900 },
                { "414", "GET /", " HTTP/1.1\r\nhost: x\r\n\r\n", 2000 },
                { "414", "GET /", "", 2000 },
                { "200", "GET / HTTP/1.1\r\nhost: x\r\na: ", "\r\n\r\n", 1900 },
                { "431", "GET / HTTP/1.1\r\nhost: x\r\na: ", "\r\n\r\n", 2000 },
                { "431", "GET / HTTP/1.1\r\nhost: x\r\na: ", "", 2000 },
                { "431", "GET / HTTP/1.1\r\nhost: x\r\n", "", 2000 },
                { "431", "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: ",
                        "", 2000 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char *text = with_long(cases[i].before, cases[i].size, cases[i].after);
                struct peer *peer;
                void *own;

                begin(&own);
                peer = own;
                for (size_t at = 0; at < strlen(text); at += 100)
                        (void)hear_bytes(
                                peer, text + at, strlen(text) - at < 100 ? strlen(text) - at : 100);
                if (!is_status(peer->said, cases[i].status))
                        fail_msg("case %zu: %s", i, peer->said);
                end(&own);
                free(text);
        }
}

static void test_field_count(void **state)
{
        struct peer *peer = *state;
        char text[1000] = "GET / HTTP/1.1\r\nhost: x\r\n";

        for (unsigned i = 0; i < 20; i++)
                strcat(text, "a:\r\n");
        strcat(text, "\r\n");
        assert_true(hear(peer, text) < 0);
        assert_true(is_status(peer->said, "431"));
}

/* A request's trailers do not count against the next one. */
static void test_trailers_count_for_their_own_request(void **state)
{
        struct peer *peer = *state;
        char *trailers = with_long("PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
                                   "\r\n0\r\na: ",
                1500, "\r\n\r\n");
        char *next = with_long("GET /", 1000, " HTTP/1.1\r\nhost: x\r\n\r\n");

        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(hear(peer, trailers), 0);
        assert_int_equal(hear(peer, next), 0);
        assert_string_equal(peer->said, HELLO HELLO HELLO HELLO);
        free(trailers);
        free(next);
}

static void test_no_room(void **state)
{
        struct peer *peer = *state;

        peer->refuses = true;
        assert_true(hear(peer, GET) < 0);
        assert_true(is_status(peer->said, "503"));
}

static void test_empty_lines(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(hear(peer, "\r\n" GET "\r\n" GET), 0);
        assert_string_equal(peer->said, HELLO HELLO);
        assert_true(hear(peer, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n") < 0);
        assert_non_null(strstr(peer->said + strlen(HELLO HELLO), "HTTP/1.1 400 "));
}

/* ---- which protocol it is ---- */

static void test_other_protocols(void **state)
{
        const char *const others[] = { "hello world\r\n", "GET /\r\n", "SSH-2.0-x\r\n",
                "\x16\x03\x01\x02\x01\x01", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                "PRI * HTTP/2.0\r\n\r\nXX", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/3.1\r\n" };

        (void)state;
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
                for (size_t step = 1; step < 100; step += 98) {
                        struct peer *peer;
                        void *own;
                        int r = 0;

                        begin(&own);
                        peer = own;
                        for (size_t at = 0; at < strlen(others[i]); at += step)
                                r = hear_bytes(peer, others[i] + at,
                                        strlen(others[i]) - at < step ? strlen(others[i]) - at
                                                                      : step);
                        if (r != -EPROTO)
                                fail_msg("%s, by %zu: %d", others[i], step, r);
                        assert_true(peer->session.bad_preface);
                        assert_int_equal(peer->said_size, 0);
                        assert_int_equal(peer->count, 0);
                        assert_int_equal(peer->session.beginning_size, strlen(others[i]));
                        assert_memory_equal(peer->session.beginning, others[i], strlen(others[i]));
                        end(&own);
                }
        }
}

/* Its preface begins as some requests do. */
static void test_http2_is_http2(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(hear(peer, "PRI * HT"), 0);
        assert_null(peer->session.http1);
        assert_int_equal(
                hear_bytes(peer, &NGHTTP2_CLIENT_MAGIC[8], NGHTTP2_CLIENT_MAGIC_LEN - 8), 0);
        assert_null(peer->session.http1);
        assert_true(peer->said_size > 0); /* SETTINGS */
}

static void test_switched_off(void **state)
{
        struct peer *peer = *state;

        session_allow_http1(&peer->session, NULL, false);
        assert_int_equal(hear(peer, GET), -EPROTO);
        assert_true(peer->session.bad_preface);
        assert_int_equal(peer->count, 0);
}

/* Nothing that HTTP/2 alone has is sent, or matters. */
static void test_what_http2_alone_has(void **state)
{
        struct peer *peer = *state;

        hear(peer, GET);
        session_ping(&peer->session);
        session_measure(&peer->session);
        session_set_windows(&peer->session, 1 << 20, 1 << 20);
        assert_int_equal(session_send_window_bytes(&peer->session), 0);
        assert_int_equal(session_receive_window_bytes(&peer->session), 0);
        assert_false(session_has_output(&peer->session));
        assert_string_equal(peer->said, HELLO);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_get),
                cmocka_unit_test(test_cuts),
                TEST(test_pipelining),
                TEST(test_body_is_limited_by_what_is_consumed),
                TEST(test_targets),
                TEST(test_connections_fields_are_not_the_requests),
                TEST(test_expect),
                TEST(test_stream),
                TEST(test_large),
                TEST(test_head),
                TEST(test_statuses_without_body),
                TEST(test_text),
                TEST(test_values_are_tamed),
                TEST(test_close),
                TEST(test_http10),
                TEST(test_an_early_answer_closes),
                TEST(test_the_rest_of_a_short_body_is_dropped),
                TEST(test_an_early_answer_in_place_of_100),
                TEST(test_100_goes_before_an_answer_that_begins),
                TEST(test_reset),
                TEST(test_reset_within_an_answer),
                TEST(test_drain),
                TEST(test_drain_while_idle),
                TEST(test_drain_of_an_idle_one),
                cmocka_unit_test(test_refused),
                TEST(test_nul_bytes),
                cmocka_unit_test(test_limits),
                TEST(test_field_count),
                TEST(test_trailers_count_for_their_own_request),
                TEST(test_no_room),
                TEST(test_empty_lines),
                cmocka_unit_test(test_other_protocols),
                TEST(test_http2_is_http2),
                TEST(test_switched_off),
                TEST(test_what_http2_alone_has),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
