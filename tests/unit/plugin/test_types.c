/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/plugin/types.h"

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

/* Reads a literal as a C compiler does, adjacent pieces included; returns its size. */
static size_t read_literal(const char *text, unsigned char *out)
{
        size_t n = 0;
        bool inside = false;

        for (; *text; text++) {
                if (*text == '"') {
                        inside = !inside;
                } else if (!inside) {
                        assert_true(isspace((unsigned char)*text));
                } else if (*text != '\\') {
                        out[n++] = (unsigned char)*text;
                } else if (text[1] >= '0' && text[1] <= '7') {
                        char digits[4] = "";

                        /* Up to three, as many as there are. */
                        for (int i = 0; i < 3 && text[1] >= '0' && text[1] <= '7'; i++)
                                digits[i] = *++text;
                        out[n++] = (unsigned char)strtoul(digits, NULL, 8);
                } else {
                        out[n++] = (unsigned char)*++text;
                }
        }
        assert_false(inside);
        return n;
}

static void assert_literal(upb_Arena *arena, const unsigned char *data, size_t size)
{
        unsigned char *back = memory_alloc(arena, size + 1);
        const char *literal = types_literal((const char *)data, size, 8, arena);

        assert_null(strstr(literal, "\?\?"));
        assert_int_equal(read_literal(literal, back), size);
        assert_memory_equal(back, data, size);
}

static void test_literal_keeps_every_pair_of_bytes(void **state)
{
        unsigned char *data = memory_alloc(*state, 2 * 65536);

        assert_string_equal(types_literal("", 0, 8, *state), "\"\"");
        for (size_t i = 0; i < 65536; i++) {
                data[2 * i] = (unsigned char)(i >> 8);
                data[2 * i + 1] = (unsigned char)i;
        }
        assert_literal(*state, data, 2 * 65536);
}

/* Wherever a line is broken. */
static void test_literal_keeps_every_length(void **state)
{
        unsigned char data[300];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (unsigned char)(i % 3 ? '7' : i % 2 ? 1 : '?');
        for (size_t size = 0; size <= sizeof(data); size++)
                assert_literal(*state, data, size);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_literal_keeps_every_pair_of_bytes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_literal_keeps_every_length, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
