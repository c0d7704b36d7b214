/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 on a server's session: what is raised of requests, however they are cut, and which protocol it is. */
#include "http1_peer.h"

#include <errno.h>
#include <string.h>

/* ---- requests ---- */

static void test_get(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(
                peer_hear(peer, "GET /p?q=1 HTTP/1.1\r\nHost: me:80\r\nAccept:  a/b, */* \r\n"
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

                peer_begin(&own);
                peer = own;
                if (cut == sizeof(post)) {
                        for (size_t i = 0; i < sizeof(post) - 1; i++)
                                assert_int_equal(peer_hear_bytes(peer, post + i, 1), 0);
                } else {
                        assert_int_equal(peer_hear_bytes(peer, post, cut), 0);
                        assert_int_equal(
                                peer_hear_bytes(peer, post + cut, sizeof(post) - 1 - cut), 0);
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
                peer_end(&own);
        }
}

/* One after the other: the next one is not begun before the first is answered. */
static void test_pipelining(void **state)
{
        struct peer *peer = *state;

        peer->holds = true;
        assert_int_equal(peer_hear(peer, GET GET GET), 0);
        assert_int_equal(peer->count, 1);
        assert_true(session_is_full(&peer->session));
        assert_false(session_has_input(&peer->session));
        assert_int_equal(peer_hear(peer, GET), 0); /* was on its way */
        for (unsigned i = 0; i < 4; i++) {
                assert_int_equal(peer->count, i + 1);
                assert_int_equal(peer->requests[i].ends, 1);
                peer_respond(peer->requests + i, "hello", true);
                assert_int_equal(peer_run(peer), 0);
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
                peer_hear(peer, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1800\r\n\r\n"), 0);
        assert_int_equal(peer_hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_false(session_is_full(&peer->session));
        assert_int_equal(peer_hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_true(session_is_full(&peer->session));
        stream_consume(&peer->requests[0].stream, 1200);
        assert_false(session_is_full(&peer->session));
        assert_int_equal(peer_hear_bytes(peer, piece, sizeof(piece)), 0);
        assert_int_equal(peer->requests[0].body_size, 1800);
        assert_string_equal(peer->said, HELLO);
}

static void test_targets(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
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

        peer_hear(peer,
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
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

        assert_int_equal(peer_hear(peer, head), 0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_int_equal(peer_hear(peer, "ab"), 0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n" HELLO);
        /* who does not wait is not told */
        assert_int_equal(peer_hear(peer, "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                                         "content-length: 2\r\n\r\nab"),
                0);
        assert_string_equal(peer->said, "HTTP/1.1 100 Continue\r\n\r\n" HELLO HELLO);
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

                        peer_begin(&own);
                        peer = own;
                        for (size_t at = 0; at < strlen(others[i]); at += step)
                                r = peer_hear_bytes(peer, others[i] + at,
                                        strlen(others[i]) - at < step ? strlen(others[i]) - at
                                                                      : step);
                        if (r != -EPROTO)
                                fail_msg("%s, by %zu: %d", others[i], step, r);
                        assert_true(peer->session.bad_preface);
                        assert_int_equal(peer->said_size, 0);
                        assert_int_equal(peer->count, 0);
                        assert_int_equal(peer->session.beginning_size, strlen(others[i]));
                        assert_memory_equal(peer->session.beginning, others[i], strlen(others[i]));
                        peer_end(&own);
                }
        }
}

/* Its preface begins as some requests do. */
static void test_http2_is_http2(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(peer_hear(peer, "PRI * HT"), 0);
        assert_null(peer->session.http1);
        assert_int_equal(
                peer_hear_bytes(peer, &NGHTTP2_CLIENT_MAGIC[8], NGHTTP2_CLIENT_MAGIC_LEN - 8), 0);
        assert_null(peer->session.http1);
        assert_true(peer->said_size > 0); /* SETTINGS */
}

static void test_switched_off(void **state)
{
        struct peer *peer = *state;

        session_allow_http1(&peer->session, NULL, false);
        assert_int_equal(peer_hear(peer, GET), -EPROTO);
        assert_true(peer->session.bad_preface);
        assert_int_equal(peer->count, 0);
}

/* Nothing that HTTP/2 alone has is sent, or matters. */
static void test_what_http2_alone_has(void **state)
{
        struct peer *peer = *state;

        peer_hear(peer, GET);
        session_ping(&peer->session);
        session_measure(&peer->session);
        session_set_windows(&peer->session, 1 << 20, 1 << 20);
        assert_int_equal(session_send_window_bytes(&peer->session), 0);
        assert_int_equal(session_receive_window_bytes(&peer->session), 0);
        assert_false(session_has_output(&peer->session));
        assert_string_equal(peer->said, HELLO);
}

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
                cmocka_unit_test(test_other_protocols),
                TEST(test_http2_is_http2),
                TEST(test_switched_off),
                TEST(test_what_http2_alone_has),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
