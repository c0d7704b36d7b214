/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/plugin/reserved.h"
#include "codec/plugin/spelling.h"

static int setup(void **state)
{
        *state = memory_arena_new();
        return 0;
}

static int teardown(void **state)
{
        upb_Arena_Free(*state);
        return 0;
}

static void test_spelling(void **state)
{
        assert_string_equal(spelling_ident(*state, "foo.bar_x.Baz"), "foo_bar__x_Baz");
        assert_string_equal(spelling_ident(*state, "foo._bar.Baz"), "foo___0bar__Baz_1");
        assert_string_equal(spelling_value(*state, "foo.b_r", "BAR_Z_1"), "foo_b__r_BAR_Z_1");
        assert_string_equal(spelling_value(*state, "foo.b_r", "bar_z"), "foo_b__r_bar__z");
        assert_string_equal(spelling_value(*state, "foo.B", "BAR_Z"), "foo_B_BAR__Z");
        assert_string_equal(spelling_value(*state, "", "bar_z"), "bar_z");
        assert_string_equal(spelling_symbol(*state, "foo.bar_x.Baz"), "quoit_foo__bar_0x__Baz");
        assert_string_equal(spelling_file_symbol(*state, "foo/b_r-x.proto"),
                "quoit_file_foo__b_0r_22dx_1proto");
        assert_string_equal(spelling_file(*state, "foo/b-r.x.proto"), "foo_b_r_x_proto");
        assert_string_equal(spelling_file(*state, "3.proto"), "_3_proto");
        assert_string_equal(
                spelling_output(*state, "foo/bar.proto", ".quoit.h"), "foo/bar.quoit.h");
        assert_string_equal(spelling_output(*state, "foo/bar.x.proto", ".c"), "foo/bar.x.c");
        assert_string_equal(spelling_output(*state, "foo.d/bar", ".c"), "foo.d/bar.c");
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names of 6 of the 4 @letters, and shorter ones of 5 of them, come out as different ones. */
static void check_one_to_one(upb_Arena *arena, const char *letters, bool full_names,
        char *spell(upb_Arena *, const char *))
{
        enum { LENGTH = 6, COUNT = 1 << (2 * LENGTH) };
        char **spelled = malloc(2 * COUNT * sizeof(*spelled));
        size_t n = 0;

        assert_non_null(spelled);
        for (unsigned i = 0; i < 2 * COUNT; i++) {
                char name[LENGTH + 1] = "";
                unsigned length = i < COUNT ? LENGTH : LENGTH - 1;

                for (unsigned j = 0; j < length; j++)
                        name[j] = letters[i >> (2 * j) & 3];
                if (length < LENGTH && i >> (2 * length) & 3)
                        continue;
                if (full_names && (strstr(name, "..") || strstr(name, ".0") || strstr(name, ".1") ||
                                          *name == '0' || *name == '1' || *name == '.' ||
                                          name[length - 1] == '.'))
                        continue;
                spelled[n++] = spell(arena, name);
        }
        assert_true(n > 1000);
        qsort(spelled, n, sizeof(*spelled), compare);
        for (size_t i = 1; i < n; i++)
                assert_string_not_equal(spelled[i - 1], spelled[i]);
        free(spelled);
}

static void test_spelling_is_one_to_one(void **state)
{
        check_one_to_one(*state, "a0_.", true, spelling_symbol);
        check_one_to_one(*state, "a1_.", true, spelling_ident);
        check_one_to_one(*state, "a0_.", true, spelling_ident);
        check_one_to_one(*state, "a0_/", false, spelling_file_symbol);
        check_one_to_one(*state, "1._/", false, spelling_file_symbol);
        check_one_to_one(*state, "2-_d", false, spelling_file_symbol);
}

static void test_reserved_words(void **state)
{
        /* One of each end of the table too: bsearch() would miss them if it were not sorted. */
        const char *const words[] = { "BUFSIZ", "yn", "xor_eq", "int", "class", "NULL", "EOF",
                "errno", "_Bool", "stdin", "this", "malloc", "arena", "y0", "while", "volatile",
                "LITTLE_ENDIAN", "ulong", "getline", "_Exit", "upb_Arena", "quoit_call_finish",
                "QUOIT_OK", "signal" };
        const char *const others[] = { "", "Int", "intt", "in", "api_Hello", "zzz", "A" };

        (void)state;
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                assert_true(reserved_word(words[i]));
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                assert_false(reserved_word(others[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_spelling, setup, teardown),
                cmocka_unit_test_setup_teardown(test_spelling_is_one_to_one, setup, teardown),
                cmocka_unit_test(test_reserved_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
