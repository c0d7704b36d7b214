/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/bench/profile.h"

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

static struct profile profile;

static void parse(const char *text, double seconds)
{
        const char *problem = profile_parse(&profile, text, seconds);

        if (problem)
                fail_msg("%s: %s", text, problem);
}

static void assert_stage(size_t i, double seconds, double first, double last)
{
        assert_true(profile.stages[i].seconds == seconds);
        assert_true(profile.stages[i].first_rate == first);
        assert_true(profile.stages[i].last_rate == last);
}

static void test_parse(void **state)
{
        (void)state;
        parse("1000", 2);
        assert_int_equal(profile.count, 1);
        assert_stage(0, 2, 1000, 1000);
        parse("2.5k", INFINITY);
        assert_stage(0, INFINITY, 2500, 2500);
        parse("100..2000", 10);
        assert_stage(0, 10, 100, 2000);
        parse("1.5..2k@500ms", INFINITY);
        assert_stage(0, 0.5, 1.5, 2000);
        parse("100,200,400", 30);
        assert_int_equal(profile.count, 3);
        assert_stage(2, 10, 400, 400);
        parse("0..1000@10s,1000@1m30s,1000..0", 105);
        assert_int_equal(profile.count, 3);
        assert_stage(0, 10, 0, 1000);
        assert_stage(1, 90, 1000, 1000);
        assert_stage(2, 5, 1000, 0);
        assert_true(profile_seconds(&profile) == 105);
        assert_true(profile_calls(&profile) == 5000 + 90000 + 2500);
}

static void test_parse_refuses(void **state)
{
        static const char *const wrong[] = { "", "x", "-1", "inf", "nan", "0x10", "1,", ",1", "1..",
                "..1", "1...2", "1@", "1@x", "1@0s", "1 ", "1..2..3", "0", "0..0@1s", "1e99",
                "1@1s@2s", "1@-1s" };
        char many[2 * PROFILE_STAGES_MAX + 4];

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                if (!profile_parse(&profile, wrong[i], 10))
                        fail_msg("'%s' is taken", wrong[i]);
        assert_non_null(profile_parse(&profile, "1,2", INFINITY));
        assert_non_null(profile_parse(&profile, "1..2", INFINITY));
        assert_non_null(profile_parse(&profile, "1@10s,2", 10));
        for (size_t i = 0; i < sizeof(many); i += 2)
                memcpy(many + i, "1,", 2);
        many[2 * PROFILE_STAGES_MAX - 1] = '\0';
        parse(many, 10);
        many[2 * PROFILE_STAGES_MAX - 1] = ',';
        many[2 * PROFILE_STAGES_MAX + 1] = '\0';
        assert_non_null(profile_parse(&profile, many, 10));
}

static void test_rate(void **state)
{
        (void)state;
        parse("100..200@10s,50@10s", 0);
        assert_true(profile_rate(&profile, 0) == 100);
        assert_true(profile_rate(&profile, 5) == 150);
        assert_true(profile_rate(&profile, 12) == 50);
        assert_true(profile_rate(&profile, 20) == 0);
        profile_warm_up(&profile, 3);
        assert_true(profile_rate(&profile, 1) == 100);
        assert_true(profile_rate(&profile, 8) == 150);
        assert_true(profile_seconds(&profile) == 23);
}

/* A call a millisecond, in turn on the threads. */
static void test_constant(void **state)
{
        struct arrivals arrivals[3];

        (void)state;
        parse("1000", 2);
        for (unsigned lane = 0; lane < 3; lane++)
                arrivals_init(&arrivals[lane], &profile, lane, 3, false, 1);
        for (uint64_t i = 0; i < 2000; i++) {
                uint64_t at = arrivals_next_ns(&arrivals[i % 3]);

                assert_in_range(at, i * MS_NS - (i > 0), i * MS_NS + 1);
        }
        for (unsigned lane = 0; lane < 3; lane++) {
                assert_true(arrivals_next_ns(&arrivals[lane]) == UINT64_MAX);
                assert_true(arrivals_next_ns(&arrivals[lane]) == UINT64_MAX);
        }
}

static void test_without_an_end(void **state)
{
        struct arrivals arrivals;

        (void)state;
        parse("3", INFINITY);
        assert_true(isinf(profile_calls(&profile)) && isinf(profile_seconds(&profile)));
        arrivals_init(&arrivals, &profile, 0, 1, false, 1);
        for (uint64_t i = 0; i < 1000000; i++)
                assert_in_range(arrivals_next_ns(&arrivals), i * SECOND_NS / 3 - (i > 0),
                        i * SECOND_NS / 3 + 1);
}

/* How many calls are due in each second. */
static void count(struct arrivals *arrivals, unsigned *seconds, size_t size)
{
        uint64_t at, last = 0;

        memset(seconds, 0, size * sizeof(*seconds));
        while ((at = arrivals_next_ns(arrivals)) != UINT64_MAX) {
                assert_true(at >= last && at < size * SECOND_NS);
                seconds[at / SECOND_NS]++;
                last = at;
        }
}

static void test_steps_and_ramps(void **state)
{
        unsigned seconds[7];
        struct arrivals arrivals;

        (void)state;
        parse("0..400@2s,100@2s,0@1s,400..0@2s", 0);
        arrivals_init(&arrivals, &profile, 0, 1, false, 1);
        count(&arrivals, seconds, 7);
        /* a ramp's first second has a quarter of its calls; at the border of two, rounding decides */
        assert_in_range(seconds[0], 99, 101);
        assert_in_range(seconds[0] + seconds[1], 399, 401);
        assert_in_range(seconds[2], 99, 101);
        assert_in_range(seconds[3], 99, 101);
        assert_int_equal(seconds[4], 0);
        assert_in_range(seconds[5], 299, 301);
        assert_in_range(seconds[6], 99, 101);
}

/* As many in the mean, but not evenly; the same for the same seed. */
static void test_by_chance(void **state)
{
        struct arrivals arrivals, again;
        unsigned bunched = 0;
        uint64_t last = 0, at, calls = 0;

        (void)state;
        parse("1000", 50);
        arrivals_init(&arrivals, &profile, 1, 2, true, 7);
        arrivals_init(&again, &profile, 1, 2, true, 7);
        while ((at = arrivals_next_ns(&arrivals)) != UINT64_MAX) {
                assert_true(at == arrivals_next_ns(&again));
                assert_true(at >= last);
                bunched += at - last < MS_NS / 5;
                last = at;
                calls++;
        }
        /* 25 000 of this thread, give or take five standard deviations */
        assert_in_range(calls, 25000 - 800, 25000 + 800);
        /* of a mean distance of 2 ms, a tenth of that is not reached by 1 - e^-0.1 of them: 9.5 % */
        assert_in_range(bunched, calls * 85 / 1000, calls * 105 / 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_refuses),
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_constant),
                cmocka_unit_test(test_without_an_end),
                cmocka_unit_test(test_steps_and_ramps),
                cmocka_unit_test(test_by_chance),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
