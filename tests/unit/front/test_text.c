/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/text.h"

static void assert_text(const struct text *text, const char *expected)
{
        assert_false(text->failed);
        assert_int_equal(text->size, strlen(expected));
        assert_memory_equal(text->data, expected, text->size);
}

static void assert_json(const char *bytes, size_t size, const char *expected)
{
        struct text text;

        text_init(&text);
        text_add_json(&text, bytes, size);
        assert_text(&text, expected);
        text_deinit(&text);
}

static void test_pieces(void **state)
{
        struct text text;

        (void)state;
        text_init(&text);
        assert_text(&text, "");
        text_add_string(&text, "a");
        text_add(&text, "bc", 2);
        text_add(&text, NULL, 0);
        text_add_string(&text, "");
        assert_text(&text, "abc");
        text_deinit(&text);
}

/* Far beyond the bytes on the stack: nothing is lost when it moves. */
static void test_long(void **state)
{
        struct text text;

        (void)state;
        text_init(&text);
        for (int i = 0; i < 5000; i++)
                text_add(&text, "0123456789", 10);
        assert_false(text.failed);
        assert_int_equal(text.size, 50000);
        for (size_t i = 0; i < text.size; i++)
                assert_int_equal(text.data[i], '0' + (int)(i % 10));
        text_deinit(&text);
}

static void test_json_escapes(void **state)
{
        (void)state;
        assert_json("", 0, "\"\"");
        assert_json("plain ~", 7, "\"plain ~\"");
        assert_json("\"\\/", 3, "\"\\\"\\\\/\"");
        assert_json("\n\t\x01\x7f", 4, "\"\\n\\u0009\\u0001\\u007f\"");
        assert_json("\0", 1, "\"\\u0000\"");
        assert_json("</a>&", 5, "\"\\u003c/a\\u003e\\u0026\"");
}

static void test_json_of_other_letters(void **state)
{
        (void)state;
        assert_json("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9,
                "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"");
        assert_json("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 9, "\"\\u2028\\u2029\xe2\x80\xaa\"");
}

/* Bytes that are not UTF-8: cut, too long, surrogates, stray. */
static void test_json_of_what_is_no_text(void **state)
{
        (void)state;
        assert_json("\xff", 1, "\"\xef\xbf\xbd\"");
        assert_json("a\xc3", 2, "\"a\xef\xbf\xbd\"");
        assert_json("\xe2\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xc3(", 2, "\"\xef\xbf\xbd(\"");
}

static void test_base64(void **state)
{
        static const char *const padded[] = { "", "eA==", "eHk=", "eHl6" };

        (void)state;
        for (size_t size = 0; size <= 3; size++) {
                struct text text;

                text_init(&text);
                text_add_base64(&text, "xyz", size, true);
                assert_text(&text, padded[size]);
                text_deinit(&text);
                text_init(&text);
                text_add_base64(&text, "xyz", size, false);
                assert_int_equal(text.size, strcspn(padded[size], "="));
                text_deinit(&text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_json_escapes),
                cmocka_unit_test(test_json_of_other_letters),
                cmocka_unit_test(test_json_of_what_is_no_text),
                cmocka_unit_test(test_base64),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
