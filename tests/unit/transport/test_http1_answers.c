/* SPDX-License-Identifier: MIT */
/* HTTP/1.1: how answers are framed, and when the connection ends behind them. */
#include "http1_peer.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static void test_stream(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        peer_hear(peer, GET);
        peer_respond(peer->requests, "abc", false);
        peer_run(peer);
        assert_string_equal(peer->said,
                "HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n"
                "\r\n3\r\nabc\r\n");
        assert_false(session_has_output(&peer->session));
        peer->said_size = 0;
        peer->requests[0].answer = "0123456789";
        peer->requests[0].answer_size = 10;
        peer->requests[0].is_last = peer->requests[0].has_trailers = true;
        stream_resume(&peer->requests[0].stream);
        peer_run(peer);
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
        peer_hear(peer, GET);
        peer_respond(peer->requests, large, true);
        while (session_has_output(&peer->session))
                peer_send(peer, 1000); /* the connection sends little at once */
        assert_int_equal(peer->said_size,
                strlen("HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 500000\r\n\r\n") + 500000);
        peer_hear(peer, GET);
        peer_respond(peer->requests + 1, large, false);
        while (session_has_output(&peer->session))
                peer_send(peer, 256 << 10);
        assert_true(peer->said_size > 1000000);
        assert_memory_equal(peer->said + peer->said_size - 3, "x\r\n", 3);
        assert_true(peer->requests[1].unpins > 0);
        free(large);
}

static void test_head(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n" GET);
        assert_string_equal(
                peer->said, "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n\r\n" HELLO);
}

static void test_statuses_without_body(void **state)
{
        struct peer *peer = *state;

        peer->status = "204";
        peer_hear(peer, GET);
        assert_string_equal(peer->said, "HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n");
}

static void test_text(void **state)
{
        struct peer *peer = *state;
        const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"404", 7, 3, 0 };

        peer->holds = true;
        peer_hear(peer, GET);
        stream_respond_text(&peer->requests[0].stream, &status, 1, "no\n");
        peer_run(peer);
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
        peer_hear(peer, GET);
        stream_respond_text(&peer->requests[0].stream, fields, 2, "");
        peer_run(peer);
        assert_string_equal(
                peer->said, "HTTP/1.1 200 OK\r\na: b  set-cookie: c\r\ncontent-length: 0\r\n\r\n");
}

/* ---- the connection's end ---- */

static void test_close(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(
                peer_hear(peer, "GET / HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n" GET), 0);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_int_equal(peer->count, 1);
        assert_true(session_is_over(&peer->session));
        assert_int_equal(peer_hear(peer, GET), 0);
        assert_int_equal(peer->count, 1);
}

static void test_http10(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        peer_hear(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        peer_respond(peer->requests, "hello", true);
        peer_run(peer);
        assert_string_equal(peer->said, "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n"
                                        "connection: keep-alive\r\n\r\nhello");
        assert_false(session_is_over(&peer->session));
        memset(peer->said, 0, peer->said_size);
        peer->said_size = 0;
        peer_hear(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        peer_respond(peer->requests + 1, "he", false);
        peer_run(peer);
        peer->requests[1].answer = "llo";
        peer->requests[1].answer_size = 3;
        peer->requests[1].is_last = true;
        stream_resume(&peer->requests[1].stream);
        peer_run(peer);
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

                peer_hear(peer, "POST / HTTP/1.1\r\nhost: x\r\n");
                peer_hear(peer, heads[i]);
                peer_respond(peer->requests, "hello", true);
                peer_run(peer);
                assert_string_equal(peer->said, HELLO_CLOSE);
                assert_int_equal(peer->requests[0].closes, 1);
                assert_true(session_is_over(&peer->session));
                assert_int_equal(peer_hear(peer, "more of it"), 0);
                assert_int_equal(peer_end(state) + peer_begin(state), 0);
        }
}

static void test_the_rest_of_a_short_body_is_dropped(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 41\r\n\r\nabc");
        peer_respond(peer->requests, "hello", true);
        peer_run(peer);
        assert_string_equal(peer->said, HELLO);
        assert_int_equal(peer->requests[0].closes, 1);
        assert_false(session_is_over(&peer->session));
        /* it is no request, whatever it looks like; nor are these empty lines */
        assert_int_equal(peer_hear(peer, "\r\nGET / \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), 0);
        assert_int_equal(peer_hear(peer, "0123456789" GET), 0);
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
        peer_respond(peer->requests, "hello", true);
        peer_run(peer);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

/* A handler whose answer has begun waits for the body, and the client for 100. */
static void test_100_goes_before_an_answer_that_begins(void **state)
{
        struct peer *peer = *state;

        expect(peer);
        peer_respond(peer->requests, "", false);
        peer_run(peer);
        assert_string_equal(peer->said,
                "HTTP/1.1 100 Continue\r\n\r\n"
                "HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_int_equal(peer_hear(peer, "ab"), 0);
        assert_int_equal(peer->requests[0].body_size, 2);
}

static void test_reset(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        peer_hear(peer, GET);
        stream_reset(&peer->requests[0].stream, NGHTTP2_CANCEL);
        assert_int_equal(peer->requests[0].closes, 0);
        peer_run(peer);
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
        peer_hear(peer, GET);
        peer_respond(peer->requests, "abc", false);
        peer_run(peer);
        stream_reset(&peer->requests[0].stream, NGHTTP2_INTERNAL_ERROR);
        peer_run(peer);
        assert_memory_equal(peer->said + peer->said_size - 5, "abc\r\n", 5);
        assert_true(session_is_over(&peer->session));
}

static void test_drain(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        peer_hear(peer, GET);
        session_drain(&peer->session);
        peer_respond(peer->requests, "hello", true);
        peer_run(peer);
        assert_string_equal(peer->said, HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

/* A request that was on its way is answered. */
static void test_drain_while_idle(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, GET);
        session_drain(&peer->session);
        assert_false(session_is_over(&peer->session));
        peer_hear(peer, "GET / HTTP/1.1\r\nhos");
        session_drain_now(&peer->session);
        assert_false(session_is_over(&peer->session));
        peer_hear(peer, "t: x\r\n\r\n");
        assert_string_equal(peer->said, HELLO HELLO_CLOSE);
        assert_true(session_is_over(&peer->session));
}

static void test_drain_of_an_idle_one(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, GET);
        session_drain(&peer->session);
        session_drain_now(&peer->session);
        assert_true(session_is_over(&peer->session));
        assert_false(session_has_output(&peer->session));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
