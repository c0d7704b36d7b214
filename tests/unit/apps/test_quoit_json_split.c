/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/json_split.h"

/* The values of @text, each between bars; @step bytes come at a time. */
static void split_in_steps(const char *text, size_t step, char *out)
{
        size_t begin = 0, all = strlen(text), came = 0, size;
        struct json_split split = { 0 };

        *out = '\0';
        while (begin < all || came < all) {
                if (json_split_next(&split, text + begin, came - begin, came == all, &size)) {
                        strcat(out, "|");
                        strncat(out, text + begin, size);
                        begin += size;
                        split = (struct json_split){ 0 };
                } else if (came == all) {
                        break;
                } else {
                        came = came + step < all ? came + step : all;
                }
        }
}

/* However it comes. */
static void assert_split(const char *text, const char *expected)
{
        char out[256];

        for (size_t step = 1; step <= strlen(text) + 1; step++) {
                split_in_steps(text, step, out);
                assert_string_equal(out, expected);
        }
}

static void test_values(void **state)
{
        (void)state;
        assert_split("", "");
        assert_split(" \n\t", "");
        assert_split("{}", "|{}");
        assert_split("{}{}", "|{}|{}");
        assert_split("{\"a\":{}}\n [1,[2]]", "|{\"a\":{}}|\n [1,[2]]");
        assert_split("\036{}\036{}", "|\036{}|\036{}");
}

static void test_scalars(void **state)
{
        (void)state;
        assert_split("1 2", "|1| 2");
        assert_split("true\nfalse", "|true|\nfalse");
        assert_split("\"a\"\"b\"", "|\"a\"|\"b\"");
        assert_split("1{}", "|1|{}");
        assert_split("null\"x\"5", "|null|\"x\"|5");
}

/* What is in a string is no bracket. */
static void test_strings(void **state)
{
        (void)state;
        assert_split("{\"}\":\"{\"}{}", "|{\"}\":\"{\"}|{}");
        assert_split("{\"\\\"}\":1}2", "|{\"\\\"}\":1}|2");
        assert_split("\"\\\\\"1", "|\"\\\\\"|1");
}

/* They are values, so that a parser says what is wrong. */
static void test_mistakes(void **state)
{
        (void)state;
        assert_split("{\"a\":", "|{\"a\":");
        assert_split("}{}", "|}|{}");
        assert_split("\"abc", "|\"abc");
        assert_split("nonsense {}", "|nonsense| {}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_scalars),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
