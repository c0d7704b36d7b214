/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/number.h"

static int parse(const char *text, uint64_t max, uint64_t *ret_number)
{
        return number_parse(text, strlen(text), max, ret_number);
}

static void test_borders(void **state)
{
        uint64_t number = 7;

        (void)state;
        assert_int_equal(parse("0", 0, &number), 0);
        assert_int_equal(number, 0);
        assert_int_equal(parse("255", 255, &number), 0);
        assert_int_equal(number, 255);
        assert_int_equal(parse("256", 255, &number), -ERANGE);
        assert_int_equal(parse("18446744073709551615", UINT64_MAX, &number), 0);
        assert_true(number == UINT64_MAX);
        assert_int_equal(parse("18446744073709551616", UINT64_MAX, &number), -ERANGE);
        assert_int_equal(parse("184467440737095516160", UINT64_MAX, &number), -ERANGE);
        assert_int_equal(parse("99999999999999999999999999999", UINT64_MAX, &number), -ERANGE);
        assert_int_equal(parse("18446744073709551620", 9, &number), -ERANGE);
        assert_int_equal(parse("000000000000000000000000000000000009", 9, &number), 0);
        assert_true(number == 9);
}

static void test_other_text(void **state)
{
        static const char *const texts[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1a",
                "99999999999999999999999999999x" };
        uint64_t number = 7;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                assert_int_equal(parse(texts[i], UINT64_MAX, &number), -EINVAL);
        assert_true(number == 7);
}

static void check_printed(uint64_t number, const char *expected)
{
        char text[NUMBER_DIGITS_MAX + 1];

        assert_int_equal(number_print(text, number), strlen(expected));
        assert_string_equal(text, expected);
}

static void test_print(void **state)
{
        (void)state;
        check_printed(0, "0");
        check_printed(9, "9");
        check_printed(10, "10");
        check_printed(1234567890, "1234567890");
        check_printed(UINT64_MAX, "18446744073709551615");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_borders),
                cmocka_unit_test(test_other_text),
                cmocka_unit_test(test_print),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
