/* SPDX-License-Identifier: MIT */
/* HTTP/1.1: what is refused, and how. */
#include "http1_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

        peer_begin(&own);
        peer = own;
        peer->holds = true;
        assert_int_equal(peer_hear(peer, GET), 0); /* a good one before it */
        peer_respond(peer->requests, "", true);
        peer_run(peer);
        memset(peer->said, 0, peer->said_size);
        peer->said_size = 0;
        snprintf(all, sizeof(all), "%s%s", request, GET);
        for (size_t at = 0; at < strlen(all) && r == 0; at += step) {
                size_t left = strlen(all) - at;

                r = peer_hear_bytes(peer, all + at, left < step ? left : step);
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
        assert_true(peer_hear(peer, GET) < 0);
        peer_end(&own);
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

        assert_true(peer_hear_bytes(peer, request, sizeof(request) - 1) < 0);
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

                peer_begin(&own);
                peer = own;
                for (size_t at = 0; at < strlen(text); at += 100)
                        (void)peer_hear_bytes(
                                peer, text + at, strlen(text) - at < 100 ? strlen(text) - at : 100);
                if (!is_status(peer->said, cases[i].status))
                        fail_msg("case %zu: %s", i, peer->said);
                peer_end(&own);
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
        assert_true(peer_hear(peer, text) < 0);
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
                assert_int_equal(peer_hear(peer, trailers), 0);
        assert_int_equal(peer_hear(peer, next), 0);
        assert_string_equal(peer->said, HELLO HELLO HELLO HELLO);
        free(trailers);
        free(next);
}

static void test_no_room(void **state)
{
        struct peer *peer = *state;

        peer->refuses = true;
        assert_true(peer_hear(peer, GET) < 0);
        assert_true(is_status(peer->said, "503"));
}

static void test_empty_lines(void **state)
{
        struct peer *peer = *state;

        assert_int_equal(peer_hear(peer, "\r\n" GET "\r\n" GET), 0);
        assert_string_equal(peer->said, HELLO HELLO);
        assert_true(peer_hear(peer, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n") < 0);
        assert_non_null(strstr(peer->said + strlen(HELLO HELLO), "HTTP/1.1 400 "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                TEST(test_nul_bytes),
                cmocka_unit_test(test_limits),
                TEST(test_field_count),
                TEST(test_trailers_count_for_their_own_request),
                TEST(test_no_room),
                TEST(test_empty_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
