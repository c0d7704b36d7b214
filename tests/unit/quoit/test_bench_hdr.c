/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "apps/quoit/bench/chance.h"
#include "apps/quoit/bench/hdr.h"

#define VALUES 20000

static struct hdr hdr;

static int setup_fine(void **state)
{
        (void)state;
        return hdr_init(&hdr, HDR_FINE);
}

static int setup_coarse(void **state)
{
        (void)state;
        return hdr_init(&hdr, HDR_COARSE);
}

static int teardown(void **state)
{
        (void)state;
        hdr_deinit(&hdr);
        return 0;
}

static void test_empty(void **state)
{
        uint64_t value, count;
        size_t cursor = 0;

        (void)state;
        assert_int_equal(hdr_count(&hdr), 0);
        assert_int_equal(hdr_percentile(&hdr, 50), 0);
        assert_true(hdr_mean(&hdr) == 0 && hdr_deviation(&hdr) == 0);
        assert_false(hdr_next(&hdr, &cursor, &value, &count));
}

/* Every value's bucket follows the one of the value before, and none is out of range. */
static void test_buckets_are_in_order(void **state)
{
        size_t last = 0;

        (void)state;
        for (uint64_t value = 0; value <= HDR_VALUE_MAX; value += 1 + value / 5000) {
                size_t bucket = hdr_bucket(hdr.precision, value);

                assert_in_range(bucket, last, last + 1);
                last = bucket;
        }
        assert_int_equal(hdr_bucket(hdr.precision, HDR_VALUE_MAX), hdr_size(hdr.precision) - 1);
}

/* What a bucket says is its largest value: itself in the bucket, while the next one is not. */
static void test_a_value_stands_for_its_bucket(void **state)
{
        uint64_t value, count;
        size_t cursor = 0;

        (void)state;
        hdr_record(&hdr, HDR_VALUE_MAX);
        for (uint64_t i = 1; i < HDR_VALUE_MAX / 3; i += 1 + i / 3)
                hdr_record(&hdr, i);
        while (hdr_next(&hdr, &cursor, &value, &count)) {
                assert_int_equal(hdr_bucket(hdr.precision, value), cursor - 1);
                if (value < HDR_VALUE_MAX)
                        assert_int_equal(hdr_bucket(hdr.precision, value + 1), cursor);
        }
        assert_int_equal(value, HDR_VALUE_MAX);
}

static int compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* Beside the same from all single values, as bench/load has them. */
static void test_percentiles(void **state)
{
        static const double percents[] = { 0, 1, 50, 90, 99, 99.9, 99.99, 100 };
        static uint64_t values[VALUES];
        struct chance chance = { 1 };
        double error = 1.0 / (double)(1 << (hdr.precision - 1)), sum = 0;

        (void)state;
        for (size_t i = 0; i < VALUES; i++) {
                values[i] = chance_next(&chance) >> (22 + chance_below(&chance, 40));
                sum += (double)values[i];
                hdr_record(&hdr, values[i]);
        }
        qsort(values, VALUES, sizeof(*values), compare);
        for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++) {
                size_t rank = (size_t)(percents[i] / 100 * VALUES + 0.999);
                double exact = (double)values[rank > 0 ? rank - 1 : 0];
                double found = (double)hdr_percentile(&hdr, percents[i]);

                assert_true(found >= exact && found <= exact * (1 + error));
        }
        assert_int_equal(hdr_percentile(&hdr, 100), values[VALUES - 1]);
        assert_int_equal(hdr_max(&hdr), values[VALUES - 1]);
        assert_true(hdr_mean(&hdr) > sum / VALUES * 0.999999);
        assert_true(hdr_mean(&hdr) < sum / VALUES * 1.000001);
}

static void test_deviation(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 100; i++) {
                hdr_record(&hdr, 1000);
                hdr_record(&hdr, 3000);
        }
        assert_true(hdr_mean(&hdr) == 2000);
        assert_true(hdr_deviation(&hdr) == 1000);
}

static void test_too_large_a_value(void **state)
{
        (void)state;
        hdr_record(&hdr, UINT64_MAX);
        assert_int_equal(hdr_max(&hdr), HDR_VALUE_MAX);
        assert_int_equal(hdr_percentile(&hdr, 50), HDR_VALUE_MAX);
}

static void test_add_and_clear(void **state)
{
        struct hdr other;

        (void)state;
        assert_int_equal(hdr_init(&other, hdr.precision), 0);
        hdr_record(&hdr, 10);
        hdr_record(&other, 20);
        hdr_record(&other, 1000000);
        hdr_add(&hdr, &other);
        assert_int_equal(hdr_count(&hdr), 3);
        assert_int_equal(hdr_percentile(&hdr, 50), 20);
        assert_int_equal(hdr_max(&hdr), 1000000);
        assert_true(hdr_mean(&hdr) == 1000030.0 / 3);
        hdr_clear(&hdr);
        test_empty(state);
        hdr_add(&hdr, &other);
        assert_int_equal(hdr_count(&hdr), 2);
        hdr_deinit(&other);
}

int main(void)
{
#define FINE(function) cmocka_unit_test_setup_teardown(function, setup_fine, teardown)
#define COARSE(function) { #function " coarse", function, setup_coarse, teardown, NULL }
        const struct CMUnitTest tests[] = {
                FINE(test_empty),
                FINE(test_buckets_are_in_order),
                COARSE(test_buckets_are_in_order),
                FINE(test_a_value_stands_for_its_bucket),
                COARSE(test_a_value_stands_for_its_bucket),
                FINE(test_percentiles),
                COARSE(test_percentiles),
                FINE(test_deviation),
                FINE(test_too_large_a_value),
                FINE(test_add_and_clear),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
