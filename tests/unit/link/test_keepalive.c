/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/keepalive.h"

#define MS 1000000ull

static const quoit_limits limits = {
        .keepalive_ms = 1000,
        .keepalive_timeout_ms = 100,
        .ping_interval_min_ms = 50,
        .ping_interval_idle_min_ms = 5000,
        .ping_strikes_max = 2,
};

static void test_silence(void **state)
{
        struct keepalive keepalive;
        uint64_t due_ns = 0;

        (void)state;
        keepalive_init(&keepalive, limits.keepalive_ms, 0);
        assert_int_equal(keepalive_look(&keepalive, &limits, 10 * MS, &due_ns), KEEPALIVE_ALIVE);
        assert_int_equal(due_ns, 1000 * MS);
        keepalive_heard(&keepalive, 500 * MS);
        assert_int_equal(keepalive_look(&keepalive, &limits, 1000 * MS, &due_ns), KEEPALIVE_ALIVE);
        assert_int_equal(due_ns, 1500 * MS);
        assert_int_equal(keepalive_look(&keepalive, &limits, 1500 * MS, &due_ns), KEEPALIVE_ASK);
        assert_int_equal(due_ns, 1600 * MS);
        assert_int_equal(keepalive_look(&keepalive, &limits, 1550 * MS, &due_ns), KEEPALIVE_ALIVE);
        assert_int_equal(due_ns, 1600 * MS);
        keepalive_heard(&keepalive, 1590 * MS);
        assert_int_equal(keepalive_look(&keepalive, &limits, 1600 * MS, &due_ns), KEEPALIVE_ALIVE);
        assert_int_equal(keepalive_look(&keepalive, &limits, 2600 * MS, &due_ns), KEEPALIVE_ASK);
        assert_int_equal(keepalive_look(&keepalive, &limits, 2700 * MS, &due_ns), KEEPALIVE_DEAD);
}

/* UINT32_MAX is never, for each of them. */
static void test_no_timeout(void **state)
{
        const quoit_limits patient = { .keepalive_ms = 1000, .keepalive_timeout_ms = UINT32_MAX };
        struct keepalive keepalive;
        uint64_t due_ns = 0;

        (void)state;
        keepalive_init(&keepalive, patient.keepalive_ms, 0);
        assert_int_equal(keepalive_look(&keepalive, &patient, 1000 * MS, &due_ns), KEEPALIVE_ASK);
        assert_int_equal(
                keepalive_look(&keepalive, &patient, UINT64_MAX / 2, &due_ns), KEEPALIVE_ALIVE);
}

static void test_strikes(void **state)
{
        struct keepalive keepalive;

        (void)state;
        keepalive_init(&keepalive, limits.keepalive_ms, 0);
        assert_true(keepalive_allows(&keepalive, &limits, 1, true, false, 1 * MS));
        assert_true(keepalive_allows(&keepalive, &limits, 1, true, false, 60 * MS)); /* in time */
        assert_true(keepalive_allows(&keepalive, &limits, 1, false, false, 120 * MS)); /* one */
        assert_true(keepalive_allows(&keepalive, &limits, 1, true, false, 121 * MS)); /* two */
        assert_true(keepalive_allows(&keepalive, &limits, 1, true, true, 122 * MS)); /* forgiven */
        assert_true(
                keepalive_allows(&keepalive, &limits, 2, true, false, 500 * MS)); /* one of them */
        assert_true(keepalive_allows(&keepalive, &limits, 1, true, false, 501 * MS));
        assert_false(keepalive_allows(&keepalive, &limits, 1, true, false, 502 * MS));
}

static void test_never(void **state)
{
        const quoit_limits none = { .keepalive_ms = UINT32_MAX, .ping_strikes_max = UINT32_MAX };
        struct keepalive keepalive;
        uint64_t due_ns = 0;

        (void)state;
        keepalive_init(&keepalive, none.keepalive_ms, 0);
        assert_int_equal(
                keepalive_look(&keepalive, &none, UINT64_MAX / 2, &due_ns), KEEPALIVE_ALIVE);
        assert_int_equal(due_ns, UINT64_MAX);
        assert_true(keepalive_allows(&keepalive, &none, 1000000, false, false, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_no_timeout),
                cmocka_unit_test(test_strikes),
                cmocka_unit_test(test_never),
        };

        return cmocka_run_group_tests_name("link/keepalive", tests, NULL, NULL);
}
