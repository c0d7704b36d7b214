/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/probe.h"
#include "core/refusal.h"

static void test_this_machine(void **state)
{
        struct refusal refusal = { .error = 7 };
        struct probe_features features;

        (void)state;
        assert_int_equal(probe_run(&features, &refusal), 0);
        assert_int_equal(refusal.error, 7); /* untouched */
        assert_true(features.send_zc); /* in the floor already */
        assert_int_equal(probe_run(NULL, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_this_machine),
        };

        return cmocka_run_group_tests_name("core/probe", tests, NULL, NULL);
}
