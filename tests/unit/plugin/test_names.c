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
        assert_string_equal(spelling_ident(*state, "foo.bar_x.Baz"), "foo_bar_x_Baz");
        assert_string_equal(spelling_mangle(*state, "foo.bar_x.Baz"), "foo__bar_0x__Baz");
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

/* No two names are mangled to one: all of up to 6 letters from `a`, `0`, `_`, `.` that a .proto allows. */
static void test_mangling_is_one_to_one(void **state)
{
        enum { LENGTH = 6, COUNT = 1 << (2 * LENGTH) };
        char **mangled = malloc(COUNT * sizeof(*mangled));
        size_t n = 0;

        assert_non_null(mangled);
        for (unsigned i = 0; i < COUNT; i++) {
                char name[LENGTH + 1] = "";

                for (unsigned j = 0; j < LENGTH; j++)
                        name[j] = "a0_."[i >> (2 * j) & 3];
                if (strstr(name, "..") || strstr(name, ".0") || *name == '0' || *name == '.')
                        continue;
                mangled[n++] = spelling_mangle(*state, name);
        }
        assert_true(n > 1000);
        qsort(mangled, n, sizeof(*mangled), compare);
        for (size_t i = 1; i < n; i++)
                assert_string_not_equal(mangled[i - 1], mangled[i]);
        free(mangled);
}

static void test_reserved_words(void **state)
{
        /* One of each end of the table too: bsearch() would miss them if it were not sorted. */
        const char *const words[] = { "BUFSIZ", "yn", "xor_eq", "int", "class", "NULL", "EOF",
                "errno", "_Bool", "stdin", "this", "malloc", "arena", "y0", "while", "volatile" };
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
                cmocka_unit_test_setup_teardown(test_mangling_is_one_to_one, setup, teardown),
                cmocka_unit_test(test_reserved_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
