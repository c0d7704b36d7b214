/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/json.h"
#include "upb/mem/arena.h"

static upb_Arena *arena;

static int set_up(void **state)
{
        (void)state;
        arena = upb_Arena_New();
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        upb_Arena_Free(arena);
        return 0;
}

static const struct json *parse(const char *text)
{
        struct json_problem problem;
        const struct json *json = NULL;

        assert_int_equal(json_parse(upb_StringView_FromString(text), arena, &json, &problem), 0);
        return json;
}

static void assert_text(const struct json *json, const char *text, size_t size)
{
        assert_int_equal(json->type, JSON_STRING);
        assert_int_equal(json->text.size, size);
        assert_memory_equal(json->text.data, text, size);
}

static void test_values(void **state)
{
        const struct json *json = parse(" {\"a\" : [1, true,false , null, \"x\"],\r\n\t\"b\":{}} ");
        const struct json *a = json_member(json, "a")->first;

        (void)state;
        assert_int_equal(json->type, JSON_OBJECT);
        assert_int_equal(a->type, JSON_NUMBER);
        assert_int_equal(a->next->type, JSON_BOOL);
        assert_true(a->next->is_true);
        assert_false(a->next->next->is_true);
        assert_int_equal(a->next->next->next->type, JSON_NULL);
        assert_text(a->next->next->next->next, "x", 1);
        assert_null(a->next->next->next->next->next);
        assert_int_equal(json_member(json, "b")->type, JSON_OBJECT);
        assert_null(json_member(json, "b")->first);
        assert_null(json_member(json, "c"));
        assert_null(json_member(parse("{\"c\": null}"), "c"));
        assert_null(parse("[ ]")->first);
        assert_int_equal(parse("null")->type, JSON_NULL);
}

static void test_strings(void **state)
{
        (void)state;
        assert_text(parse("\"\""), "", 0);
        assert_text(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t", 8);
        assert_text(parse("\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\\u0000\""),
                "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\0", 11);
        assert_text(parse("\"\xc3\xa4\""), "\xc3\xa4", 2);
}

static void test_bad(void **state)
{
        static const struct {
                const char *text;
                unsigned line, column;
                const char *what;
        } cases[] = {
                { "", 1, 1, "a value is missing" },
                { " {", 1, 3, "a string is missing" },
                { "{\"a\"}", 1, 5, "a colon is missing" },
                { "{\"a\":1,}", 1, 8, "a string is missing" },
                { "[1,]", 1, 4, "a value is missing" },
                { "[1 2]", 1, 4, "a comma, or the end of what was opened, is missing" },
                { "[1}", 1, 3, "a comma, or the end of what was opened, is missing" },
                { "{\n \"a\": 1,\n \"a\": 2}", 3, 5, "the object has this name already" },
                { "\"abc", 1, 5, "the string does not end" },
                { "\"abc\\", 1, 6, "an unknown escape" },
                { "\"\\x\"", 1, 3, "an unknown escape" },
                { "\"\\u12g4\"", 1, 6, "four hexadecimal digits belong behind \\u" },
                { "\"\\ud800\"", 1, 8, "half a character" },
                { "\"\\ud800\\u0041\"", 1, 14, "half a character" },
                { "\"\\udc00\"", 1, 8, "half a character" },
                { "\"\n\"", 1, 2, "a control character in a string" },
                { "\"\xff\"", 1, 1, "the text is not UTF-8" },
                { "01", 1, 2, "something stands behind the value" },
                { "+1", 1, 1, "a value is missing" },
                { "-", 1, 2, "a value is missing" },
                { "1.", 1, 3, "a number ends in a point" },
                { "1e", 1, 3, "a number has no exponent behind its E" },
                { ".5", 1, 1, "a value is missing" },
                { "tru", 1, 1, "a value is missing" },
                { "truex", 1, 5, "something stands behind the value" },
                { "NaN", 1, 1, "a value is missing" },
                { "{} {}", 1, 4, "something stands behind the value" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct json_problem problem = { 0 };
                const struct json *json = NULL;

                assert_int_equal(json_parse(upb_StringView_FromString(cases[i].text), arena, &json,
                                         &problem),
                        -EINVAL);
                assert_string_equal(problem.what, cases[i].what);
                assert_int_equal(problem.line, cases[i].line);
                assert_int_equal(problem.column, cases[i].column);
                assert_null(json);
        }
}

/* Nothing behind the text's size is read. */
static void test_size_counts(void **state)
{
        struct json_problem problem;
        const struct json *json;

        (void)state;
        assert_int_equal(
                json_parse(upb_StringView_FromDataAndSize("123", 2), arena, &json, &problem), 0);
        assert_int_equal(json->text.size, 2);
        assert_int_equal(
                json_parse(upb_StringView_FromDataAndSize("1\0", 2), arena, &json, &problem),
                -EINVAL);
}

static void test_depth(void **state)
{
        char text[2 * JSON_DEPTH_MAX + 3];
        struct json_problem problem;
        const struct json *json;

        (void)state;
        for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
                int expected = depth > JSON_DEPTH_MAX ? -EINVAL : 0;

                memset(text, '[', depth);
                memset(text + depth, ']', depth);
                assert_int_equal(json_parse(upb_StringView_FromDataAndSize(text, 2 * depth), arena,
                                         &json, &problem),
                        expected);
        }
        assert_string_equal(problem.what, "nested too deeply");
        parse("[[[]],[[]],[[]]]"); /* those that are closed count no more */
}

static void test_members(void **state)
{
        char text[16 * (JSON_MEMBERS_MAX + 2)];
        struct json_problem problem;
        const struct json *json;

        (void)state;
        for (int count = JSON_MEMBERS_MAX; count <= JSON_MEMBERS_MAX + 1; count++) {
                size_t size = (size_t)sprintf(text, "{");

                for (int i = 0; i < count; i++)
                        size += (size_t)sprintf(text + size, "%s\"%d\":0", i > 0 ? "," : "", i);
                sprintf(text + size, "}");
                assert_int_equal(
                        json_parse(upb_StringView_FromString(text), arena, &json, &problem),
                        count > JSON_MEMBERS_MAX ? -EINVAL : 0);
        }
        assert_string_equal(problem.what, "the object has too many members");
}

static void test_numbers(void **state)
{
        static const struct {
                const char *text;
                unsigned decimals;
                int r;
                uint64_t number;
                int whole;
        } cases[] = {
                { "0", 0, 0, 0, 0 },
                { "7", 3, 0, 7000, 0 },
                { "0.5466", 3, 0, 546, -EINVAL },
                { "0.0005", 3, 0, 0, -EINVAL },
                { "1e3", 0, 0, 1000, 0 },
                { "1000e-3", 0, 0, 1, 0 },
                { "1.50E+1", 0, 0, 15, 0 },
                { "1.55e1", 0, 0, 15, -EINVAL },
                { "2.0", 0, 0, 2, 0 },
                { "12345e-3", 3, 0, 12345, -EINVAL },
                { "5e-999999999", 0, 0, 0, -EINVAL },
                { "0e999999999", 9, 0, 0, 0 },
                { "1e999999999", 0, -ERANGE, 0, -ERANGE },
                { "99999", 0, 0, 99999, 0 },
                { "100000", 0, -ERANGE, 0, -ERANGE },
                { "99999999999999999999999999", 0, -ERANGE, 0, -ERANGE },
                { "-1", 0, -ERANGE, 0, -ERANGE },
                { "\"1\"", 0, -EINVAL, 0, -EINVAL },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const struct json *json = parse(cases[i].text);
                uint64_t number = 0;

                assert_int_equal(json_decimal(json, cases[i].decimals, 99999, &number), cases[i].r);
                assert_int_equal(number, cases[i].number);
                assert_int_equal(json_whole(json, 99999, &number), cases[i].whole);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_size_counts),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_numbers),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
