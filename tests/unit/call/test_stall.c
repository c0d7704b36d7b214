/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/stall.h"

static const struct stall_rule rule = { .period_ns = 1000, .bytes_min = 50 };

/* The period starts when bytes begin to wait, however long nothing was checked before. */
static void test_the_beginning(void **state)
{
        struct stall stall = { 0 };
        uint64_t due_ns = 0;

        (void)state;
        stall_begin(&stall, 700000);
        assert_false(stall_look(&stall, &rule, 700001, &due_ns));
        assert_int_equal(due_ns, 701000);
        assert_false(stall_look(&stall, &rule, 700999, &due_ns));
        due_ns = 1;
        assert_true(stall_look(&stall, &rule, 701000, &due_ns));
        assert_int_equal(due_ns, 1); /* untouched */
}

static void test_a_trickle(void **state)
{
        struct stall stall = { 0 };
        uint64_t due_ns = 0, now_ns;

        (void)state;
        stall_begin(&stall, 0);
        for (now_ns = 25; now_ns < 1000; now_ns += 25) {
                stall_take(&stall, 1);
                assert_false(stall_look(&stall, &rule, now_ns, &due_ns));
        }
        assert_true(stall_look(&stall, &rule, 1000, &due_ns));
        stall_take(&stall, 11); /* in the last moment: 39 and 11 */
        assert_false(stall_look(&stall, &rule, 1000, &due_ns));
        assert_int_equal(due_ns, 2000);
        stall_take(&stall, 49); /* what was taken before does not count twice */
        assert_true(stall_look(&stall, &rule, 2000, &due_ns));
}

static void test_never(void **state)
{
        const struct stall_rule none = { .period_ns = UINT64_MAX, .bytes_min = UINT64_MAX };
        struct stall stall = { 0 };
        uint64_t due_ns = 0;

        (void)state;
        stall_begin(&stall, 5);
        assert_false(stall_look(&stall, &none, UINT64_MAX - 1, &due_ns));
        assert_int_equal(due_ns, UINT64_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_beginning),
                cmocka_unit_test(test_a_trickle),
                cmocka_unit_test(test_never),
        };

        return cmocka_run_group_tests_name("call/stall", tests, NULL, NULL);
}
