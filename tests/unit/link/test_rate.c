/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/rate.h"

#define S 1000000000ull

static void test_a_burst_and_then_a_rate(void **state)
{
        struct rate rate = { 0 };

        (void)state;
        for (unsigned i = 0; i < 5; i++)
                assert_true(rate_allows(&rate, 1, 5, 2, 100 * S));
        /* two a second, for ever */
        for (uint64_t half = 1; half < 1000; half++)
                assert_true(rate_allows(&rate, 1, 5, 2, 100 * S + half * (S / 2)));
        assert_false(rate_allows(&rate, 1, 5, 2, 100 * S + 999 * (S / 2)));
}

static void test_many_at_once(void **state)
{
        struct rate rate = { 0 };

        (void)state;
        assert_true(rate_allows(&rate, 5, 5, 2, 100 * S));
        /* after a long time it is as it was at first, not better */
        assert_false(rate_allows(&rate, 6, 5, 2, 10000 * S));
}

static void test_never_too_often(void **state)
{
        struct rate rate = { 0 };

        (void)state;
        for (unsigned i = 0; i < 100; i++)
                assert_true(rate_allows(&rate, 1000000, UINT32_MAX, 1, 1));
        rate = (struct rate){ 0 };
        assert_true(rate_allows(&rate, UINT32_MAX, 1, UINT32_MAX, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_burst_and_then_a_rate),
                cmocka_unit_test(test_many_at_once),
                cmocka_unit_test(test_never_too_often),
        };

        return cmocka_run_group_tests_name("link/rate", tests, NULL, NULL);
}
