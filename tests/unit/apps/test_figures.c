/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apps/quoit-web/figures.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define NOW (1000 * SECOND)

static void call(struct figures *figures, enum figures_end end, uint64_t now_ns, uint64_t latency)
{
        figures_begin_call(figures);
        figures_end_call(figures, end, now_ns, latency);
}

static struct figures_summary read_at(struct figures *figures, uint64_t now_ns)
{
        struct figures_summary summary;

        figures_read(figures, now_ns, &summary);
        return summary;
}

/* At most an eighth too large. */
static void assert_near(double ms, double wanted_ms)
{
        assert_true(ms >= wanted_ms);
        assert_true(ms <= wanted_ms * 1.126 + 0.001);
}

static void test_nothing(void **state)
{
        struct figures figures = FIGURES_INIT;
        struct figures_summary summary = read_at(&figures, NOW);

        (void)state;
        assert_int_equal(summary.calls, 0);
        assert_int_equal(summary.calls_per_second, 0);
        assert_false(summary.has_latency);
}

static void test_ends(void **state)
{
        struct figures figures = FIGURES_INIT;
        struct figures_summary summary;

        (void)state;
        figures_begin_call(&figures);
        call(&figures, FIGURES_FAILED, NOW, MS);
        call(&figures, FIGURES_ENDED, NOW, MS);
        summary = read_at(&figures, NOW + SECOND);
        assert_int_equal(summary.calls, 2);
        assert_int_equal(summary.failures, 1);
        assert_int_equal(summary.running, 1);
        assert_int_equal(summary.calls_per_second, 2);
        assert_false(summary.has_latency);
}

static void test_rate_is_of_the_last_whole_second(void **state)
{
        struct figures figures = FIGURES_INIT;

        (void)state;
        for (unsigned i = 0; i < 7; i++)
                call(&figures, FIGURES_ANSWERED, NOW + i * 100 * MS, MS);
        assert_int_equal(read_at(&figures, NOW + 900 * MS).calls_per_second, 0);
        assert_int_equal(read_at(&figures, NOW + SECOND).calls_per_second, 7);
        assert_int_equal(read_at(&figures, NOW + 2 * SECOND).calls_per_second, 0);
        /* where that second's place is used again */
        assert_int_equal(read_at(&figures, NOW + 12 * SECOND).calls_per_second, 0);
        assert_int_equal(read_at(&figures, NOW + 12 * SECOND).calls, 7);
}

static void test_percentiles(void **state)
{
        struct figures figures = FIGURES_INIT;
        struct figures_summary summary;

        (void)state;
        for (unsigned i = 1; i <= 100; i++)
                call(&figures, FIGURES_ANSWERED, NOW, i * MS);
        summary = read_at(&figures, NOW);
        assert_near(summary.p50_ms, 50);
        assert_near(summary.p90_ms, 90);
        assert_near(summary.p99_ms, 99);
}

static void test_latencies_of_any_size(void **state)
{
        static const uint64_t sizes_us[] = { 0, 1, 7, 8, 9, 15, 16, 17, 1000, 65535, 65536,
                60 * 1000 * 1000 };

        (void)state;
        for (unsigned i = 0; i < sizeof(sizes_us) / sizeof(*sizes_us); i++) {
                struct figures figures = FIGURES_INIT;

                call(&figures, FIGURES_ANSWERED, NOW, sizes_us[i] * 1000);
                assert_near(read_at(&figures, NOW).p50_ms, (double)sizes_us[i] / 1000);
        }
}

static void test_latencies_beyond_all_bounds(void **state)
{
        struct figures figures = FIGURES_INIT;

        (void)state;
        call(&figures, FIGURES_ANSWERED, NOW, UINT64_MAX);
        assert_true(read_at(&figures, NOW).p99_ms > 100 * 1000);
}

static void test_latencies_are_forgotten(void **state)
{
        struct figures figures = FIGURES_INIT;

        (void)state;
        call(&figures, FIGURES_ANSWERED, NOW, 500 * MS);
        call(&figures, FIGURES_ANSWERED, NOW + 5 * SECOND, MS);
        assert_near(read_at(&figures, NOW + 10 * SECOND).p99_ms, 500);
        assert_near(read_at(&figures, NOW + 11 * SECOND).p99_ms, 1);
        assert_false(read_at(&figures, NOW + 16 * SECOND).has_latency);
        /* and overwritten */
        call(&figures, FIGURES_ANSWERED, NOW + 11 * SECOND, 2 * MS);
        assert_near(read_at(&figures, NOW + 11 * SECOND).p99_ms, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_rate_is_of_the_last_whole_second),
                cmocka_unit_test(test_percentiles),
                cmocka_unit_test(test_latencies_of_any_size),
                cmocka_unit_test(test_latencies_beyond_all_bounds),
                cmocka_unit_test(test_latencies_are_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
