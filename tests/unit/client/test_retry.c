/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/retry.h"
#include "client/throttle.h"
#include "core/clock.h"

/* min(initial * multiplier^(n-1), max), without jitter. */
static void test_pauses(void **state)
{
        static const struct {
                struct retry_policy policy;
                uint64_t expected_ms[4];
        } cases[] = {
                { { .initial_ns = 100 * NS_PER_MS, .max_ns = NS_PER_S, .multiplier = 2 },
                        { 100, 200, 400, 800 } },
                { { .initial_ns = 100 * NS_PER_MS, .max_ns = 250 * NS_PER_MS, .multiplier = 2 },
                        { 100, 200, 250, 250 } },
                { { .initial_ns = NS_PER_S, .max_ns = 500 * NS_PER_MS, .multiplier = 1 },
                        { 500, 500, 500, 500 } },
                { { .initial_ns = NS_PER_S, .max_ns = 500 * NS_PER_MS, .multiplier = 0.5 },
                        { 500, 500, 250, 125 } },
                { { .initial_ns = 1000000000 * NS_PER_S,
                          .max_ns = 1000000000 * NS_PER_S,
                          .multiplier = 4294 },
                        { 1000000000000, 1000000000000, 1000000000000, 1000000000000 } },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                for (unsigned n = 1; n <= 4; n++) {
                        uint64_t middle_ns = cases[i].expected_ms[n - 1] * NS_PER_MS;

                        assert_true(
                                retry_pause_ns(&cases[i].policy, n, middle_ns / 5) == middle_ns);
                }
        }
}

/* 0.8 to 1.2 of it, and both ends are reached. */
static void test_jitter(void **state)
{
        const struct retry_policy policy = { .initial_ns = 100, .max_ns = 1000, .multiplier = 1 };
        uint64_t least = UINT64_MAX, most = 0;

        (void)state;
        for (uint64_t jitter = 0; jitter < 1000; jitter++) {
                uint64_t pause_ns = retry_pause_ns(&policy, 1, jitter);

                least = pause_ns < least ? pause_ns : least;
                most = pause_ns > most ? pause_ns : most;
        }
        assert_int_equal(least, 80);
        assert_int_equal(most, 120);
}

static void test_pushback(void **state)
{
        static const char *const bad[] = { "", "-1", "-0", "x", "1.5", " 1", "1 ", "2147483648",
                "99999999999999999999" };
        uint64_t ns = 7;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(pushback_parse(bad[i], strlen(bad[i]), &ns), PUSHBACK_STOP);
        assert_int_equal(ns, 7);
        assert_int_equal(pushback_parse("0", 1, &ns), PUSHBACK_WAIT);
        assert_int_equal(ns, 0);
        assert_int_equal(pushback_parse("2147483647", 10, &ns), PUSHBACK_WAIT);
        assert_int_equal(ns, 2147483647 * NS_PER_MS);
}

/* Half of the tokens, or fewer: nothing is sent again. */
static void test_throttle(void **state)
{
        struct throttle throttle;

        (void)state;
        throttle_init(&throttle, (struct throttling){ .tokens_max = 10000, .token_ratio = 546 });
        throttle_note_success(&throttle);
        assert_int_equal(throttle.tokens, 10000); /* never more than all */
        for (int i = 0; i < 4; i++) {
                throttle_note_failure(&throttle);
                assert_true(throttle_allows(&throttle));
        }
        throttle_note_failure(&throttle);
        assert_false(throttle_allows(&throttle));
        throttle_note_success(&throttle);
        assert_int_equal(throttle.tokens, 5546);
        assert_true(throttle_allows(&throttle));
        for (int i = 0; i < 10; i++)
                throttle_note_failure(&throttle);
        assert_int_equal(throttle.tokens, 0); /* never fewer than none */
        for (int i = 0; i < 19; i++)
                throttle_note_success(&throttle);
        assert_int_equal(throttle.tokens, 10000);
}

static void test_no_throttle(void **state)
{
        struct throttle throttle = { 0 };

        (void)state;
        throttle_note_failure(&throttle);
        throttle_note_success(&throttle);
        assert_true(throttle_allows(&throttle));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pauses),
                cmocka_unit_test(test_jitter),
                cmocka_unit_test(test_pushback),
                cmocka_unit_test(test_throttle),
                cmocka_unit_test(test_no_throttle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
