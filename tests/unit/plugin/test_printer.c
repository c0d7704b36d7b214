/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/plugin/printer.h"

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

static void assert_text(const struct printer *p, const char *expected)
{
        assert_int_equal(p->size, strlen(expected));
        assert_memory_equal(p->data, expected, p->size);
}

static void test_variables(void **state)
{
        struct printer p;

        printer_init(&p, *state);
        printer_set(&p, "a", "one");
        printer_set(&p, "ab", "two");
        printer_emit(&p, "$a$$ab$, $a$_x; ");
        printer_set(&p, "a", "");
        printer_emit(&p, "[$a$]");
        assert_text(&p, "onetwo, one_x; []");
}

static void test_values_are_not_templates(void **state)
{
        struct printer p;

        printer_init(&p, *state);
        printer_set(&p, "a", "$b$ %d");
        printer_emit(&p, "$a$ %s");
        printer_append(&p, "$a$", 3);
        assert_text(&p, "$b$ %d %s$a$");
}

static void test_grows(void **state)
{
        struct printer p;

        printer_init(&p, *state);
        for (int i = 0; i < 20000; i++)
                printer_printf(&p, "%06d\n", i);
        assert_int_equal(p.size, 20000 * 7);
        for (int i = 0; i < 20000; i++) {
                char expected[8];

                snprintf(expected, sizeof(expected), "%06d\n", i);
                assert_memory_equal(p.data + 7 * i, expected, 7);
        }
}

static void test_one_piece_larger_than_all(void **state)
{
        char *large = memory_alloc(*state, 100001);
        struct printer p;

        memset(large, 'x', 100000);
        large[100000] = '\0';
        printer_init(&p, *state);
        printer_printf(&p, "<%s>", large);
        printer_append(&p, large, 100000);
        assert_int_equal(p.size, 200002);
        assert_int_equal(p.data[0], '<');
        assert_int_equal(p.data[100001], '>');
        assert_int_equal(p.data[200001], 'x');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_variables, setup, teardown),
                cmocka_unit_test_setup_teardown(test_values_are_not_templates, setup, teardown),
                cmocka_unit_test_setup_teardown(test_grows, setup, teardown),
                cmocka_unit_test_setup_teardown(test_one_piece_larger_than_all, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
