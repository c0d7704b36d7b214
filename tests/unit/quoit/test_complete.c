/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/complete/json_cursor.h"
#include "apps/quoit/complete/shell_words.h"

/* @wanted: the words, each with a '|' behind it. */
static void assert_words(const char *line, const char *wanted)
{
        struct shell_words words;
        char text[256] = "";

        assert_int_equal(shell_words_split(&words, line), 0);
        for (int i = 0; i < words.count; i++) {
                strcat(text, words.at[i]);
                strcat(text, "|");
        }
        assert_string_equal(text, wanted);
        shell_words_deinit(&words);
}

static void test_words(void **state)
{
        (void)state;
        assert_words("", "|");
        assert_words("quoit", "quoit|");
        assert_words("quoit ", "quoit||");
        assert_words("  quoit\tcall  h:1", "quoit|call|h:1|");
        assert_words("a 'b c' \"d e\" f\\ g", "a|b c|d e|f g|");
        assert_words("a -d '{\"na", "a|-d|{\"na|");
        assert_words("a \"\\\"b\\c\\$\"", "a|\"b\\c$|");
        assert_words("a 'b\\'c", "a|b\\c|");
        assert_words("a ''", "a||");
        assert_words("a b\\", "a|b\\|");
}

static void test_many_words(void **state)
{
        char *line = malloc(2 * SHELL_WORDS_MAX + 1);
        struct shell_words words;

        (void)state;
        assert_non_null(line);
        memset(line, 'a', 2 * SHELL_WORDS_MAX);
        for (int i = 0; i < SHELL_WORDS_MAX; i++)
                line[2 * i + 1] = ' ';
        line[2 * SHELL_WORDS_MAX] = '\0';
        assert_int_equal(shell_words_split(&words, line), -E2BIG);
        line[2 * SHELL_WORDS_MAX - 1] = '\0';
        assert_int_equal(shell_words_split(&words, line), 0);
        assert_int_equal(words.count, SHELL_WORDS_MAX);
        shell_words_deinit(&words);
        free(line);
}

/* @path: the keys, each with a '.' behind it; then the one of a value. */
static void assert_cursor(const char *text, enum json_place place, size_t begin, const char *path)
{
        struct json_cursor cursor;
        char keys[256] = "";

        json_cursor_find(&cursor, text);
        assert_int_equal(cursor.place, place);
        if (place == JSON_ELSEWHERE)
                return;
        assert_int_equal(cursor.begin, begin);
        for (unsigned i = 0; i < cursor.depth; i++) {
                strcat(keys, cursor.keys[i]);
                strcat(keys, ".");
        }
        strcat(keys, cursor.key);
        assert_string_equal(keys, path);
}

static void test_keys(void **state)
{
        (void)state;
        assert_cursor("{", JSON_KEY, 1, "");
        assert_cursor("{ ", JSON_KEY, 2, "");
        assert_cursor("{\"", JSON_KEY, 1, "");
        assert_cursor("{\"na", JSON_KEY, 1, "");
        assert_cursor("{\"a\":1,", JSON_KEY, 7, "");
        assert_cursor("{\"a\":\"x{\\\"\", \"", JSON_KEY, 13, "");
        assert_cursor("{\"a\":{", JSON_KEY, 6, "a.");
        assert_cursor("{\"a\":[{\"b\":1},{\"c\":{", JSON_KEY, 20, "a.c.");
        assert_cursor("{\"a\":{\"b\":1},", JSON_KEY, 13, "");
        assert_cursor("{\"a\":1} {", JSON_KEY, 9, ""); /* the second message of a stream */
}

static void test_values(void **state)
{
        (void)state;
        assert_cursor("", JSON_VALUE, 0, "");
        assert_cursor("{\"a\":", JSON_VALUE, 5, "a");
        assert_cursor("{\"a\":\"X", JSON_VALUE, 5, "a");
        assert_cursor("{\"a\":tr", JSON_VALUE, 5, "a");
        assert_cursor("{\"a\":[", JSON_VALUE, 6, "a");
        assert_cursor("{\"a\":[1,", JSON_VALUE, 8, "a");
        assert_cursor("{\"a\":{\"b\":[\"c\",\"", JSON_VALUE, 15, "a.b");
}

static void test_elsewhere(void **state)
{
        char deep[JSON_DEPTH_MAX + 3];
        char key[JSON_KEY_BYTES + 8] = "{\"";

        (void)state;
        assert_cursor("{\"a\"", JSON_ELSEWHERE, 0, "");
        assert_cursor("{\"a\":1", JSON_VALUE, 5, "a"); /* a number may go on */
        assert_cursor("{\"a\":\"b\"", JSON_ELSEWHERE, 0, "");
        assert_cursor("{}", JSON_ELSEWHERE, 0, "");
        assert_cursor("}", JSON_ELSEWHERE, 0, "");
        assert_cursor("{{", JSON_ELSEWHERE, 0, "");
        memset(deep, '[', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        assert_cursor(deep, JSON_ELSEWHERE, 0, "");
        deep[JSON_DEPTH_MAX] = '\0';
        assert_cursor(deep, JSON_VALUE, JSON_DEPTH_MAX, "");
        memset(key + 2, 'k', JSON_KEY_BYTES);
        strcat(key, "\":");
        assert_cursor(key, JSON_ELSEWHERE, 0, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_many_words),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
