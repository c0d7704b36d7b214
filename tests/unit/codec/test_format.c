/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "codec/format.h"

/* As quoit_call_format() does it; whether it was quick. What both print must be the same. */
static bool __attribute__((format(printf, 2, 3))) try(size_t room, const char *format, ...)
{
        char quick[200], printed[200];
        va_list arguments;
        size_t size;
        int r;

        memset(quick, '~', sizeof(quick));
        va_start(arguments, format);
        size = format_quickly(quick, room, format, arguments);
        r = vsnprintf(printed, sizeof(printed), format, arguments); /* they are still there */
        va_end(arguments);
        for (size_t i = room; i < sizeof(quick); i++)
                assert_int_equal(quick[i], '~');
        if (size == SIZE_MAX)
                return false;
        assert_int_equal(size, r);
        assert_memory_equal(quick, printed, size);
        return true;
}

static void test_numbers(void **state)
{
        static const long values[] = { 0, 1, -1, 9, 10, 99, 100, 12345, -98765, INT_MAX, INT_MIN,
                UINT_MAX, LONG_MAX, LONG_MIN };

        (void)state;
        for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
                long value = values[i];

                assert_true(try(100, "name %d", (int)value));
                assert_true(try(100, "%i%u%x", (int)value, (unsigned)value, (unsigned)value));
                assert_true(try(
                        100, "%ld, %lu, %lx", value, (unsigned long)value, (unsigned long)value));
                assert_true(try(100, "%lld %llu", (long long)value, (unsigned long long)value));
                assert_true(try(100, "%zu%zd.", (size_t)value, value));
        }
}

static void test_text(void **state)
{
        (void)state;
        assert_true(try(100, "%s", ""));
        assert_true(try(100, "plain"));
        assert_true(try(100, "Hello %s, %d%% of %c", "World", 7, 'x'));
        assert_true(try(100, "<%.*s>", 3, "abcdef"));
        assert_true(try(100, "<%.*s><%.*s>", 30, "abcdef", 0, "abcdef"));
}

/* Left to printf. */
static void test_others(void **state)
{
        (void)state;
        assert_false(try(100, "%5d", 1));
        assert_false(try(100, "%-5s", "x"));
        assert_false(try(100, "%.3s", "abcdef"));
        assert_false(try(100, "%.*s", -1, "abcdef"));
        assert_false(try(100, "%f", 1.5));
        assert_false(try(100, "%#x", 1u));
        assert_false(try(100, "%hd", (short)1));
        assert_false(try(100, "%p", (void *)state));
        assert_false(try(100, "%lc", (wint_t)'x'));
        assert_false(try(100, "and then %08lx", 1ul));
}

static void test_room(void **state)
{
        static const char text[] = "abcd 12345 x";

        (void)state;
        for (size_t room = 0; room < 20; room++) {
                bool enough = room >= sizeof(text) - 1;

                assert_int_equal(try(room, "ab%s %d x", "cd", 12345), enough);
                assert_int_equal(try(room, "%.*s 12345%s", 4, "abcdef", " x"), enough);
                assert_int_equal(try(room, "abcd 12345%c%c", ' ', 'x'), enough);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_room),
        };

        return cmocka_run_group_tests_name("codec/format", tests, NULL, NULL);
}
