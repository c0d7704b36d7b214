/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "apps/quoit/bench/table.h"
#include "apps/quoit/bench/template.h"

static upb_Arena *arena;
static struct buffer buffer;
static struct chance chance;
static struct table table;

static int setup(void **state)
{
        (void)state;
        arena = upb_Arena_New();
        chance.state = 1;
        return arena ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        upb_Arena_Free(arena);
        buffer_deinit(&buffer);
        return 0;
}

static const char *read_table(const char *text)
{
        return table_parse(upb_StringView_FromString(text), arena, &table);
}

static void assert_cell(size_t row, size_t column, const char *wanted)
{
        upb_StringView cell = table_cell(&table, row, column);

        assert_int_equal(cell.size, strlen(wanted));
        assert_memory_equal(cell.data, wanted, cell.size);
}

static void test_a_table_has_rows(void **state)
{
        (void)state;
        assert_null(read_table("id,name\r\n1,Ann\r\n2,\"Bob, the \"\"B\"\"\"\n3,\"a\nb\""));
        assert_int_equal(table.column_count, 2);
        assert_int_equal(table.row_count, 3);
        assert_cell(0, 0, "1");
        assert_cell(0, 1, "Ann");
        assert_cell(1, 1, "Bob, the \"B\"");
        assert_cell(2, 1, "a\nb");
        assert_null(read_table("x\n\n"));
        assert_int_equal(table.row_count, 1);
        assert_cell(0, 0, "");
        assert_null(read_table("a,b\n,\n"));
        assert_cell(0, 1, "");
}

static void test_bad_tables(void **state)
{
        (void)state;
        assert_string_equal(
                read_table("a,b\n1,2\n3\n"), "line 3: it has not as many cells as the first line");
        assert_string_equal(read_table("a,b\n1,\"x\ny\"\n3\n"),
                "line 4: it has not as many cells as the first line");
        assert_string_equal(read_table("a\n\"x"), "line 2: a quote has no end");
        assert_string_equal(read_table("a\n\"x\"y"), "line 2: something follows a quote");
        assert_non_null(strstr(read_table("a,b\n"), "no rows"));
        assert_non_null(strstr(read_table(""), "no rows"));
}

/* ---- templates ---- */

static const char *expand(const char *text, uint64_t seq)
{
        const struct template_call call = { .seq = seq, .chance = &chance };
        struct template template;
        const char *problem = template_parse(upb_StringView_FromString(text),
                table.row_count > 0 ? &table : NULL, arena, &template);
        char *result;

        if (problem)
                fail_msg("%s: %s", text, problem);
        assert_true(template_expand(&template, &call, &buffer));
        result = upb_Arena_Malloc(arena, buffer.size + 1);
        memcpy(result, buffer.data, buffer.size);
        result[buffer.size] = '\0';
        return result;
}

static const char *problem_of(const char *text)
{
        struct template template;
        const char *problem = template_parse(upb_StringView_FromString(text),
                table.row_count > 0 ? &table : NULL, arena, &template);

        if (!problem)
                fail_msg("%s is taken", text);
        return problem;
}

static void test_plain_text(void **state)
{
        struct template template;

        (void)state;
        table = (struct table){ 0 };
        assert_string_equal(expand("{\"a\":{\"b\":{}}}", 0), "{\"a\":{\"b\":{}}}");
        assert_string_equal(expand("{{ no end", 0), "{{ no end");
        assert_null(template_parse(upb_StringView_FromString("{}"), NULL, arena, &template));
        assert_false(template.differs_by_call || template.differs_by_row);
        assert_null(template_parse(upb_StringView_FromString("{{seq}}"), NULL, arena, &template));
        assert_true(template.differs_by_call);
}

static void test_words(void **state)
{
        char *end;

        (void)state;
        table = (struct table){ 0 };
        assert_string_equal(expand("{\"id\": {{seq}}, \"n\": \"{{ seq }}\"}", 12345678901),
                "{\"id\": 12345678901, \"n\": \"12345678901\"}");
        assert_int_equal(strlen(expand("{{text:33}}", 0)), 33);
        assert_int_equal(
                strspn(expand("{{text:1000}}", 0),
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                1000);
        assert_string_equal(expand("<{{text:0}}>", 0), "<>");
        for (unsigned i = 0; i < 100; i++) {
                assert_in_range(strtoul(expand("{{rand}}", i), &end, 10), 0, INT32_MAX);
                assert_int_equal(*end, '\0');
        }
        assert_in_range(
                strtoll(expand("{{time}}", 0), NULL, 10) / 1000, time(NULL) - 100, time(NULL));
}

/* All numbers of the range come, and no other. */
static void test_a_range_of_numbers(void **state)
{
        unsigned seen[7] = { 0 };

        (void)state;
        table = (struct table){ 0 };
        for (unsigned i = 0; i < 1000; i++) {
                long number = strtol(expand("{{rand:-3:3}}", i), NULL, 10);

                assert_true(number >= -3 && number <= 3);
                seen[number + 3]++;
        }
        for (unsigned i = 0; i < 7; i++)
                assert_true(seen[i] > 0);
        assert_string_equal(expand("{{rand:5:5}}", 0), "5");
        expand("{{rand:-9223372036854775808:9223372036854775807}}", 0);
}

static void test_uuids(void **state)
{
        const char *one, *other;

        (void)state;
        table = (struct table){ 0 };
        one = expand("{{uuid}}", 0);
        other = expand("{{uuid}}", 0);
        assert_int_equal(strlen(one), 36);
        assert_string_not_equal(one, other);
        for (unsigned i = 0; i < 36; i++)
                assert_non_null(
                        strchr(i == 8 || i == 13 || i == 18 || i == 23 ? "-" : "0123456789abcdef",
                                one[i]));
        assert_int_equal(one[14], '4');
        assert_non_null(strchr("89ab", one[19]));
}

static void test_columns(void **state)
{
        struct template template;

        (void)state;
        assert_null(read_table("id,name\n1,\"a\"\"\\\t\"\n2,Bob\n"));
        assert_string_equal(expand("{\"id\":{{id}},\"name\":\"{{name}}\"}", 0),
                "{\"id\":1,\"name\":\"a\\\"\\\\\\u0009\"}");
        assert_string_equal(
                expand("{\"id\":{{id}},\"name\":\"{{name}}\"}", 3), "{\"id\":2,\"name\":\"Bob\"}");
        /* a quote that is escaped ends no string */
        assert_string_equal(
                expand("\"\\\"{{name}}\" {{name}}", 0), "\"\\\"a\\\"\\\\\\u0009\" a\"\\\t");
        assert_null(template_parse(upb_StringView_FromString("{{id}}"), &table, arena, &template));
        assert_true(template.differs_by_row && !template.differs_by_call);
}

static void test_bad_templates(void **state)
{
        (void)state;
        table = (struct table){ 0 };
        assert_string_equal(problem_of("{{sek}}"), "{{sek}}: no such word, and there is no "
                                                   "--data-csv with columns; did you mean seq?");
        problem_of("{{}}");
        problem_of("{{seq:1}}");
        problem_of("{{rand:1}}");
        problem_of("{{rand:2:1}}");
        problem_of("{{rand:a:b}}");
        problem_of("{{rand:1:2:3}}");
        problem_of("{{text}}");
        problem_of("{{text:-1}}");
        problem_of("{{text:99999999999}}");
        problem_of("{{text:10x}}");
        problem_of("{{rand:1: 2}}");
        assert_null(read_table("id,name\n1,2\n"));
        assert_string_equal(problem_of("{{nmae}}"),
                "{{nmae}}: no such column, and no such word; did you mean name?");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_a_table_has_rows),
                TEST(test_bad_tables),
                TEST(test_plain_text),
                TEST(test_words),
                TEST(test_a_range_of_numbers),
                TEST(test_uuids),
                TEST(test_columns),
                TEST(test_bad_templates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
