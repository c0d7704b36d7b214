/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/histogram.h"

/* The bucket that @value falls into. */
static size_t bucket_of(const struct histogram_scale *scale, uint64_t value)
{
        struct histogram histogram = { 0 };
        uint64_t counts[HISTOGRAM_COUNTS_MAX];
        quoit_histogram shown;
        size_t found = SIZE_MAX;

        histogram_record(&histogram, scale, value);
        shown = histogram_show(&histogram, scale, counts);
        assert_int_equal(shown.count, 1);
        for (size_t i = 0; i <= shown.bound_count; i++) {
                if (shown.counts[i] == 1)
                        found = i;
        }
        return found;
}

/* A bound belongs to the bucket below it, as OpenTelemetry has it. */
static void test_bounds(void **state)
{
        static const struct histogram_scale *const scales[] = { &histogram_durations,
                &histogram_sizes };

        (void)state;
        for (size_t s = 0; s < 2; s++) {
                for (size_t i = 0; i < scales[s]->bound_count; i++) {
                        uint64_t bound = (uint64_t)(scales[s]->bounds[i] * scales[s]->unit + 0.5);

                        assert_int_equal(bucket_of(scales[s], bound), i);
                        assert_int_equal(bucket_of(scales[s], bound + 1), i + 1);
                        if (i > 0)
                                assert_true(scales[s]->bounds[i] > scales[s]->bounds[i - 1]);
                }
                assert_int_equal(bucket_of(scales[s], UINT64_MAX), scales[s]->bound_count);
        }
}

static void test_merge(void **state)
{
        struct histogram one = { 0 }, other = { 0 };
        uint64_t counts[HISTOGRAM_COUNTS_MAX];
        quoit_histogram shown;

        (void)state;
        histogram_record(&one, &histogram_durations, 1500000000);
        histogram_record(&other, &histogram_durations, 250000000);
        histogram_record(&other, &histogram_durations, 1600000000);
        histogram_merge(&one, &other);
        shown = histogram_show(&one, &histogram_durations, counts);
        assert_int_equal(shown.count, 3);
        assert_true(shown.sum > 3.349 && shown.sum < 3.351);
        for (size_t i = 0; i < shown.bound_count; i++) {
                if (shown.bounds[i] == 2)
                        assert_int_equal(shown.counts[i], 2);
                else if (shown.bounds[i] == 0.25)
                        assert_int_equal(shown.counts[i], 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_merge),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
