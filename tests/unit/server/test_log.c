/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/log.h"

#define S UINT64_C(1000000000)

/* How many of @count lines at @now_ns pass. */
static unsigned pass(struct log_gate *gate, unsigned count, uint64_t now_ns, uint64_t *ret_quiet)
{
        unsigned passed = 0;

        for (unsigned i = 0; i < count; i++) {
                uint64_t quiet;

                if (!log_gate_open(gate, 10, now_ns, &quiet))
                        continue;
                if (passed++ == 0)
                        *ret_quiet = quiet;
        }
        return passed;
}

static void test_rate(void **state)
{
        struct log_gate gate;
        uint64_t quiet = 0;

        (void)state;
        log_gate_init(&gate);
        assert_int_equal(pass(&gate, 1000, 5000 * S, &quiet), 100);
        assert_int_equal(quiet, 0);
        assert_int_equal(pass(&gate, 1000, 5000 * S, &quiet), 0);
        /* another ring's clock is a little behind */
        assert_int_equal(pass(&gate, 1000, 4999 * S, &quiet), 0);
        assert_int_equal(pass(&gate, 1000, 5001 * S, &quiet), 10);
        assert_int_equal(quiet, 900 + 1000 + 1000);
        /* at most ten seconds' worth is saved up */
        assert_int_equal(pass(&gate, 1000, 9000 * S, &quiet), 100);
        assert_int_equal(quiet, 990);
        log_gate_deinit(&gate);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
