/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/backoff.h"
#include "core/clock.h"

/* gRPC's numbers, without jitter: 1 s, each 1.6 times the last, 120 s at most. */
static void test_numbers(void **state)
{
        static const uint64_t expected_ms[] = { 1000, 1600, 2560, 4096, 6553, 10485, 16777, 26843,
                42949, 68719, 109951, 120000, 120000 };
        struct backoff backoff = { 0 };

        (void)state;
        for (unsigned round = 0; round < 2; round++) {
                for (size_t i = 0; i < sizeof(expected_ms) / sizeof(*expected_ms); i++) {
                        backoff_next_ns(&backoff, 1000, 120000, 0);
                        assert_int_equal(backoff.pause_ns / NS_PER_MS, expected_ms[i]);
                }
                backoff_reset(&backoff);
        }
}

/* A fifth more or less, and both ends are reached. */
static void test_jitter(void **state)
{
        uint64_t least = UINT64_MAX, most = 0;

        (void)state;
        for (uint64_t jitter = 0; jitter <= 400 * NS_PER_MS; jitter += NS_PER_MS / 4) {
                struct backoff backoff = { 0 };
                uint64_t pause_ns = backoff_next_ns(&backoff, 1000, 120000, jitter);

                least = pause_ns < least ? pause_ns : least;
                most = pause_ns > most ? pause_ns : most;
        }
        assert_int_equal(least, 800 * NS_PER_MS);
        assert_int_equal(most, 1200 * NS_PER_MS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_jitter),
        };

        return cmocka_run_group_tests_name("client/backoff", tests, NULL, NULL);
}
