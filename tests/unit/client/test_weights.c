/* SPDX-License-Identifier: MIT */

/* Who has the next call: stride.h, load_weight.h, least_request.h, aggregate.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/aggregate.h"
#include "client/least_request.h"
#include "client/load_weight.h"
#include "client/stride.h"
#include "core/clock.h"

/* ---- stride ---- */

/* Turns of each in @turns. */
static void take(struct stride *stride, unsigned turns, unsigned *ret_counts)
{
        for (unsigned i = 0; i < stride->count; i++)
                ret_counts[i] = 0;
        for (unsigned i = 0; i < turns; i++)
                ret_counts[stride_next(stride)]++;
}

static void assert_shares(const double *weights, unsigned count, const unsigned *shares)
{
        struct stride stride = { .sequence = 12345 };
        unsigned counts[8], sum = 0;

        for (unsigned i = 0; i < count; i++)
                sum += shares[i];
        stride_set(&stride, weights, count);
        take(&stride, sum * 1000, counts);
        for (unsigned i = 0; i < count; i++)
                assert_in_range(counts[i], shares[i] * 990, shares[i] * 1010);
}

static void test_stride(void **state)
{
        (void)state;
        assert_shares((double[]){ 1, 2, 3 }, 3, (unsigned[]){ 1, 2, 3 });
        assert_shares((double[]){ 1e9, 1e9, 5e9 }, 3, (unsigned[]){ 1, 1, 5 });
        assert_shares((double[]){ 7 }, 1, (unsigned[]){ 1 });
        assert_shares((double[]){ 2, 0, 4 }, 3, (unsigned[]){ 2, 3, 4 }); /* the mean */
        assert_shares(
                (double[]){ 9, 0, 0 }, 3, (unsigned[]){ 1, 1, 1 }); /* one alone says nothing */
        assert_shares((double[]){ 0, 0 }, 2, (unsigned[]){ 1, 1 });
}

/* Strictly in turn where all are alike, from any beginning, also where the sequence wraps. */
static void test_stride_is_even(void **state)
{
        struct stride stride = { .sequence = UINT32_MAX - 2 };
        unsigned last;

        (void)state;
        stride_set(&stride, (double[]){ 5, 5, 5, 5 }, 4);
        last = stride_next(&stride);
        for (unsigned i = 0; i < 100; i++) {
                unsigned next = stride_next(&stride);

                assert_int_equal(next, (last + 1) % 4);
                last = next;
        }
}

/* One that weighs next to nothing gets a turn now and then, and does not keep the others waiting. */
static void test_stride_of_a_feather(void **state)
{
        struct stride stride = { 0 };
        unsigned counts[3];

        (void)state;
        stride_set(&stride, (double[]){ 1e-300, 1e300 }, 2);
        take(&stride, 200000, counts);
        assert_in_range(counts[0], 1, 10);
        stride_set(&stride, (double[]){ 1e308, 0, 1e308 }, 3); /* the sum is infinite */
        take(&stride, 3000, counts);
        assert_int_equal(counts[1], 1000);
}

/* ---- weights ---- */

#define BLACKOUT (10 * NS_PER_S)
#define EXPIRATION (180 * NS_PER_S)

static double weight_at(struct load_weight *weight, uint64_t now_s)
{
        return load_weight_now(weight, BLACKOUT, EXPIRATION, now_s * NS_PER_S);
}

static void report_at(struct load_weight *weight, struct load_report report, uint64_t now_s)
{
        load_weight_report(weight, &report, 1.0, now_s * NS_PER_S);
}

static void test_weight(void **state)
{
        struct load_weight weight = { 0 };

        (void)state;
        report_at(&weight,
                (struct load_report){ .cpu_utilization = 0.5, .requests_per_second = 100 }, 1);
        assert_true(weight_at(&weight, 11) == 200);
        report_at(&weight,
                (struct load_report){ .cpu_utilization = 0.5,
                        .application_utilization = 0.25,
                        .requests_per_second = 100 },
                12);
        assert_true(weight_at(&weight, 12) == 400);
        report_at(&weight,
                (struct load_report){ .cpu_utilization = 0.5,
                        .requests_per_second = 100,
                        .errors_per_second = 50 },
                12);
        assert_true(weight_at(&weight, 12) == 100);
}

static void test_periods(void **state)
{
        const struct load_report report = { .cpu_utilization = 1, .requests_per_second = 100 };
        struct load_weight weight = { 0 };

        (void)state;
        assert_true(weight_at(&weight, 1000) == 0);
        report_at(&weight, report, 1000);
        assert_true(weight_at(&weight, 1000) == 0);
        report_at(&weight, report, 1009);
        assert_true(weight_at(&weight, 1009) == 0);
        assert_true(weight_at(&weight, 1010) == 100);
        assert_true(weight_at(&weight, 1009 + 179) == 100);
        assert_true(weight_at(&weight, 1009 + 180) == 0);
        report_at(&weight, report, 1200); /* a gap: the blackout begins anew */
        assert_true(weight_at(&weight, 1209) == 0);
        assert_true(weight_at(&weight, 1210) == 100);
}

static void test_reports_without_numbers(void **state)
{
        struct load_weight weight = { 0 };

        (void)state;
        report_at(&weight, (struct load_report){ .cpu_utilization = 1 }, 1);
        report_at(&weight, (struct load_report){ .requests_per_second = 1 }, 1);
        report_at(&weight,
                (struct load_report){ .cpu_utilization = 1e-308, .requests_per_second = 1e308 }, 1);
        assert_int_equal(weight.since_ns, 0);
}

/* ---- least request ---- */

struct draw {
        const uint64_t *numbers;
        const uint32_t *calls;
        unsigned drawn;
};

static uint64_t draw(void *user)
{
        struct draw *draws = user;

        return draws->numbers[draws->drawn++];
}

static uint32_t calls_of(void *user, uint32_t index)
{
        return ((struct draw *)user)->calls[index];
}

static unsigned choose(const uint64_t *numbers, unsigned choices)
{
        static const uint32_t calls[] = { 3, 1, 2, 1 };
        struct draw draws = { .numbers = numbers, .calls = calls };
        unsigned chosen = least_request_choose(4, choices, draw, calls_of, &draws);

        assert_int_equal(draws.drawn, choices);
        return chosen;
}

static void test_least_request(void **state)
{
        (void)state;
        assert_int_equal(choose((uint64_t[]){ 0, 2 }, 2), 2);
        assert_int_equal(choose((uint64_t[]){ 2, 0 }, 2), 2);
        assert_int_equal(choose((uint64_t[]){ 3, 1 }, 2), 3); /* as many: the first */
        assert_int_equal(choose((uint64_t[]){ 0, 0 }, 2), 0); /* one twice */
        assert_int_equal(choose((uint64_t[]){ 4, 6, 5 }, 3), 1); /* modulo */
}

/* ---- states ---- */

static void assert_states(unsigned ready, unsigned connecting, unsigned idle, unsigned failed,
        quoit_channel_state all, quoit_channel_state ring)
{
        const struct state_counts counts = { ready, connecting, idle, failed };

        assert_int_equal(aggregate_all(&counts), all);
        assert_int_equal(aggregate_ring(&counts), ring);
}

static void test_aggregate(void **state)
{
        (void)state;
        assert_states(1, 1, 1, 5, QUOIT_CHANNEL_READY, QUOIT_CHANNEL_READY);
        assert_states(0, 1, 1, 0, QUOIT_CHANNEL_CONNECTING, QUOIT_CHANNEL_CONNECTING);
        assert_states(0, 1, 1, 2, QUOIT_CHANNEL_CONNECTING, QUOIT_CHANNEL_TRANSIENT_FAILURE);
        assert_states(0, 0, 1, 1, QUOIT_CHANNEL_IDLE, QUOIT_CHANNEL_CONNECTING);
        assert_states(0, 0, 2, 0, QUOIT_CHANNEL_IDLE, QUOIT_CHANNEL_IDLE);
        assert_states(0, 0, 1, 2, QUOIT_CHANNEL_IDLE, QUOIT_CHANNEL_TRANSIENT_FAILURE);
        assert_states(0, 0, 0, 1, QUOIT_CHANNEL_TRANSIENT_FAILURE, QUOIT_CHANNEL_TRANSIENT_FAILURE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stride),
                cmocka_unit_test(test_stride_is_even),
                cmocka_unit_test(test_stride_of_a_feather),
                cmocka_unit_test(test_weight),
                cmocka_unit_test(test_periods),
                cmocka_unit_test(test_reports_without_numbers),
                cmocka_unit_test(test_least_request),
                cmocka_unit_test(test_aggregate),
        };

        return cmocka_run_group_tests_name("client/weights", tests, NULL, NULL);
}
