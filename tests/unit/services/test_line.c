/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "services/line.h"

static void assert_line(const struct line *line, const char *expected)
{
        assert_int_equal(line->size, strlen(expected));
        assert_memory_equal(line->bytes, expected, line->size);
}

static void test_forms(void **state)
{
        struct line line;

        (void)state;
        for (int json = 0; json < 2; json++) {
                line_begin(&line, json);
                line_add_time(&line, "time", 1763900000007);
                line_add_word(&line, "word", "OK");
                line_add_number(&line, "zero", 0);
                line_add_number(&line, "most", UINT64_MAX);
                line_add_quoted(&line, "text", "a b", 3);
                line_end(&line);
                assert_line(&line,
                        json ? "{\"time\":\"2025-11-23T12:13:20.007Z\",\"word\":\"OK\",\"zero\":0,"
                               "\"most\":18446744073709551615,\"text\":\"a b\"}\n"
                             : "time=2025-11-23T12:13:20.007Z word=OK zero=0 "
                               "most=18446744073709551615 text=\"a b\"\n");
        }
}

/* Nothing that is sent ends a line, a quote or an object. */
static void test_escapes(void **state)
{
        static const char bad[] = "\"\\\n\r\0\x1b[31m\x7f\xff\xc3\xa9";
        struct line line;

        (void)state;
        line_begin(&line, true);
        line_add_quoted(&line, "a", bad, sizeof(bad) - 1);
        line_end(&line);
        assert_line(&line, "{\"a\":\"\\\"\\\\\\u000a\\u000d\\u0000\\u001b["
                           "31m\\u007f\\u00ff\\u00c3\\u00a9\"}\n");
}

/* The worst that may come fits. */
static void test_room(void **state)
{
        char bytes[10000];
        struct line line;

        (void)state;
        memset(bytes, '\n', sizeof(bytes));
        line_begin(&line, true);
        for (int i = 0; i < 5; i++)
                line_add_quoted(&line, "quoted", bytes, sizeof(bytes));
        for (int i = 0; i < 10; i++)
                line_add_number(&line, "messages_received", UINT64_MAX);
        line_end(&line);
        assert_true(line.size > 5 * LINE_QUOTED_MAX * 6);
}

static void test_dates(void **state)
{
        (void)state;
        /* by the week and an hour or so, from 1970 to 2400 */
        for (uint64_t s = 0; s < 430ull * 365 * 86400; s += 86400ull * 7 + 3607) {
                time_t seconds = (time_t)s;
                char expected[64], text[32];
                struct line line;
                struct tm tm;

                gmtime_r(&seconds, &tm);
                strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
                snprintf(expected, sizeof(expected), "t=%s.999Z", text);
                line_begin(&line, false);
                line_add_time(&line, "t", s * 1000 + 999);
                assert_line(&line, expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_dates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
