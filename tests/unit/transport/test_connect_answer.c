/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/connect_answer.h"

#define BYTES_MAX 200

/* Of @size bytes of @text, whole and byte by byte: the same. */
static int fed(const char *text, size_t size, size_t *ret_used, char *ret_kept)
{
        const uint8_t *data = (const uint8_t *)text;
        struct connect_answer whole, bytewise;
        size_t used = 0, one;
        int r, other = 0;

        connect_answer_init(&whole, BYTES_MAX);
        r = connect_answer_feed(&whole, data, size, ret_used);
        connect_answer_text(&whole, ret_kept);
        connect_answer_init(&bytewise, BYTES_MAX);
        while (other == 0 && used < size) {
                other = connect_answer_feed(&bytewise, data + used, 1, &one);
                used += one;
        }
        assert_int_equal(other, r);
        assert_int_equal(used, *ret_used);
        return r;
}

/* What follows the tunnel's opening is left. */
static void assert_opens(const char *answer)
{
        char text[512], kept[CONNECT_ANSWER_LINE_BYTES + 1];
        size_t used, size = strlen(answer);

        assert_int_equal(fed(answer, size, &used, kept), 1);
        assert_int_equal(used, size);
        strcat(strcpy(text, answer), "\r\n\r\nHTTP/1.1 500 not the proxy's\r\n\r\n");
        assert_int_equal(fed(text, strlen(text), &used, kept), 1);
        assert_int_equal(used, size);
        /* every part of it needs more */
        for (size_t part = 0; part < size; part++) {
                assert_int_equal(fed(answer, part, &used, kept), 0);
                assert_int_equal(used, part);
        }
}

static void test_open(void **state)
{
        (void)state;
        assert_opens("HTTP/1.1 200 OK\r\n\r\n");
        assert_opens("HTTP/1.0 200 Connection established\r\n\r\n");
        assert_opens("HTTP/1.1 200\r\n\r\n");
        assert_opens("HTTP/1.1 200 \r\n\r\n");
        assert_opens("HTTP/1.1 299 any of them (RFC 9110)\r\n\r\n");
        assert_opens("HTTP/1.1 200 \xe2\x82\xac\ta\r\n\r\n");
        assert_opens("HTTP/1.1 200 OK\n\n");
        assert_opens("HTTP/1.1 200 OK\r\nVia: x\n\r\n");
        assert_opens("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_opens("HTTP/1.1 200 OK\r\n:\r: \r\r\n folded\r\n\r\n");
        assert_opens("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                     "HTTP/1.1 200 OK\r\n\r\n");
}

static void assert_fails(int error, const char *answer, const char *wanted)
{
        char kept[CONNECT_ANSWER_LINE_BYTES + 1];
        size_t used;

        assert_int_equal(fed(answer, strlen(answer), &used, kept), error);
        assert_string_equal(kept, wanted);
}

static void test_refused(void **state)
{
        (void)state;
        assert_fails(-ECONNREFUSED, "HTTP/1.1 407 Proxy Authentication Required\r\n",
                "HTTP/1.1 407 Proxy Authentication Required");
        assert_fails(-ECONNREFUSED, "HTTP/1.1 999\nX", "HTTP/1.1 999");
        assert_fails(-ECONNREFUSED, "HTTP/1.1 300 \xff\r\n", "HTTP/1.1 300 ?");
        assert_fails(-ECONNREFUSED, "HTTP/1.1 101 Switching Protocols\r\n",
                "HTTP/1.1 101 Switching Protocols");
        assert_fails(-ECONNREFUSED, "HTTP/1.1 100 \r\n\r\nHTTP/1.1 502 Bad Gateway\r\n",
                "HTTP/1.1 502 Bad Gateway");
}

/* It is seen with the first wrong byte. */
static void test_garbage(void **state)
{
        (void)state;
        assert_fails(-EPROTO, "SSH-2.0", "S");
        assert_fails(-EPROTO, "\x15\x03", "?");
        assert_fails(-EPROTO, "http/1.1", "h");
        assert_fails(-EPROTO, "HTTP/2 ", "HTTP/2");
        assert_fails(-EPROTO, "HTTP/1.x", "HTTP/1.x");
        assert_fails(-EPROTO, "HTTP/1.1  200", "HTTP/1.1  ");
        assert_fails(-EPROTO, "HTTP/1.1 20O", "HTTP/1.1 20O");
        assert_fails(-EPROTO, "HTTP/1.1 2000", "HTTP/1.1 2000");
        assert_fails(-EPROTO, "HTTP/1.1 20\r\n", "HTTP/1.1 20");
        assert_fails(-EPROTO, "HTTP/1.1 099 \r\n", "HTTP/1.1 099 ");
        assert_fails(-EPROTO, "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O?");
        assert_fails(-EPROTO, "HTTP/1.1 200 \x7f", "HTTP/1.1 200 ?");
        assert_fails(-EPROTO, "\r\nHTTP/1.1 200 OK", "");
        assert_fails(-EPROTO, "\n", "");
        assert_fails(-EPROTO, "HTTP/1.1 100 \r\n\r\n\r\n", "");
}

/* A zero is no byte of a status line; in fields nobody minds it. */
static void test_zeros(void **state)
{
        static const char in_status[] = "HTTP/1.1 200 \0",
                          in_field[] = "HTTP/1.1 200 \r\n\0\r\n\r\n";
        char kept[CONNECT_ANSWER_LINE_BYTES + 1];
        size_t used;

        (void)state;
        assert_int_equal(fed(in_status, sizeof(in_status) - 1, &used, kept), -EPROTO);
        assert_int_equal(fed(in_field, sizeof(in_field) - 1, &used, kept), 1);
}

/* The limit holds for all of it: one long line, many fields, interim answers without end. */
static void test_limit(void **state)
{
        static const char *const endless[] = { "HTTP/1.1 200 ",
                "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n" };
        static const char *const more[] = { "x", "x", "a: b\r\n" };
        char text[BYTES_MAX * 2], kept[CONNECT_ANSWER_LINE_BYTES + 1];
        size_t used;

        (void)state;
        for (unsigned i = 0; i < sizeof(endless) / sizeof(*endless); i++) {
                strcpy(text, endless[i]);
                while (strlen(text) <= BYTES_MAX)
                        strcat(text, more[i]);
                assert_int_equal(fed(text, strlen(text), &used, kept), -EMSGSIZE);
                assert_int_equal(used, BYTES_MAX + 1);
                assert_memory_equal(kept, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 "));
        }
        text[0] = '\0';
        while (strlen(text) <= BYTES_MAX)
                strcat(text, "HTTP/1.1 100 \r\n\r\n");
        assert_int_equal(fed(text, strlen(text), &used, kept), -EMSGSIZE);
        /* one that just fits */
        memset(text, 'x', BYTES_MAX);
        memcpy(text, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 "));
        memcpy(text + BYTES_MAX - 4, "\r\n\r\n", 4);
        assert_int_equal(fed(text, BYTES_MAX, &used, kept), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_zeros),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
