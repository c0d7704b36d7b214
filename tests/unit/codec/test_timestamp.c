/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <quoit/timestamp.h>

#define FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define LONGEST INT64_C(315576000000)
#define E9 1000000000

/* By the C library's own calendar, not by the numbers above. */
static void the_range_is_years_1_to_9999(void **state)
{
        struct tm first = { .tm_year = 1 - 1900, .tm_mday = 1 };
        struct tm last = { .tm_year = 9999 - 1900,
                .tm_mon = 11,
                .tm_mday = 31,
                .tm_hour = 23,
                .tm_min = 59,
                .tm_sec = 59 };

        (void)state;
        assert_int_equal(timegm(&first), FIRST);
        assert_int_equal(timegm(&last), LAST);
}

static void timestamps_in_range_are_valid(void **state)
{
        (void)state;
        assert_true(quoit_timestamp_is_valid(0, 0));
        assert_true(quoit_timestamp_is_valid(FIRST, 0));
        assert_true(quoit_timestamp_is_valid(LAST, E9 - 1));
        assert_false(quoit_timestamp_is_valid(FIRST - 1, E9 - 1));
        assert_false(quoit_timestamp_is_valid(LAST + 1, 0));
        assert_false(quoit_timestamp_is_valid(0, -1));
        assert_false(quoit_timestamp_is_valid(0, E9));
        assert_false(quoit_timestamp_is_valid(INT64_MIN, 0));
        assert_false(quoit_timestamp_is_valid(INT64_MAX, 0));
        assert_false(quoit_timestamp_is_valid(-1, INT32_MIN));
}

static void durations_have_one_sign(void **state)
{
        (void)state;
        assert_true(quoit_duration_is_valid(0, 0));
        assert_true(quoit_duration_is_valid(0, 1 - E9));
        assert_true(quoit_duration_is_valid(0, E9 - 1));
        assert_true(quoit_duration_is_valid(LONGEST, E9 - 1));
        assert_true(quoit_duration_is_valid(-LONGEST, 1 - E9));
        assert_false(quoit_duration_is_valid(1, -1));
        assert_false(quoit_duration_is_valid(-1, 1));
        assert_false(quoit_duration_is_valid(LONGEST + 1, 0));
        assert_false(quoit_duration_is_valid(-LONGEST - 1, 0));
        assert_false(quoit_duration_is_valid(0, E9));
        assert_false(quoit_duration_is_valid(0, -E9));
        assert_false(quoit_duration_is_valid(INT64_MIN, INT32_MIN));
}

static void what_is_out_of_range_is_an_error_and_nothing_else(void **state)
{
        struct timespec time = { 7, 7 };
        int64_t ns = 7;

        (void)state;
        assert_int_equal(quoit_timestamp_to_timespec(LAST + 1, 0, &time), -EINVAL);
        assert_int_equal(quoit_timestamp_to_ns(0, E9, &ns), -EINVAL);
        assert_int_equal(quoit_timestamp_to_ns(LAST, 0, &ns), -ERANGE);
        assert_int_equal(quoit_timestamp_to_ns(FIRST, 0, &ns), -ERANGE);
        assert_int_equal(quoit_duration_to_timespec(1, -1, &time), -EINVAL);
        assert_int_equal(quoit_duration_to_ns(LONGEST + 1, 0, &ns), -EINVAL);
        assert_int_equal(quoit_duration_to_ns(LONGEST, 0, &ns), -ERANGE);
        assert_int_equal(ns, 7);
        assert_int_equal(time.tv_sec, 7);
        assert_int_equal(time.tv_nsec, 7);
}

static void a_timespec_out_of_range_is_an_error(void **state)
{
        int64_t seconds = 7;
        int32_t nanos = 7;

        (void)state;
#define TIMESTAMP(s, n) quoit_timestamp_from_timespec(&(struct timespec){ s, n }, &seconds, &nanos)
#define DURATION(s, n) quoit_duration_from_timespec(&(struct timespec){ s, n }, &seconds, &nanos)
        assert_int_equal(TIMESTAMP(0, E9), -EINVAL);
        assert_int_equal(TIMESTAMP(0, -1), -EINVAL);
        assert_int_equal(TIMESTAMP(0, INT64_MAX), -EINVAL);
        assert_int_equal(TIMESTAMP(LAST + 1, 0), -ERANGE);
        assert_int_equal(TIMESTAMP(FIRST - 1, E9 - 1), -ERANGE);
        assert_int_equal(DURATION(0, E9), -EINVAL);
        assert_int_equal(DURATION(LONGEST + 1, 0), -ERANGE);
        assert_int_equal(DURATION(-LONGEST - 1, 0), -ERANGE);
        assert_int_equal(DURATION(INT64_MIN, 5), -ERANGE);
        assert_int_equal(seconds, 7);
        assert_int_equal(nanos, 7);
        /* The longest, backwards: a timespec is a second further away from zero. */
        assert_int_equal(DURATION(-LONGEST - 1, 1), 0);
        assert_int_equal(seconds, -LONGEST);
        assert_int_equal(nanos, 1 - E9);
}

static void halves_of_seconds_before_zero(void **state)
{
        struct timespec time;
        int64_t seconds;
        int32_t nanos;

        (void)state;
        assert_int_equal(quoit_duration_to_timespec(0, -E9 / 2, &time), 0);
        assert_int_equal(time.tv_sec, -1);
        assert_int_equal(time.tv_nsec, E9 / 2);
        quoit_timestamp_from_ns(-1, &seconds, &nanos);
        assert_int_equal(seconds, -1);
        assert_int_equal(nanos, E9 - 1);
        quoit_duration_from_ns(-1, &seconds, &nanos);
        assert_int_equal(seconds, 0);
        assert_int_equal(nanos, -1);
}

static void check_ns(int64_t ns)
{
        int64_t seconds, again = 0;
        int32_t nanos;
        struct timespec time;

        quoit_timestamp_from_ns(ns, &seconds, &nanos);
        assert_int_equal(quoit_timestamp_to_ns(seconds, nanos, &again), 0);
        assert_int_equal(again, ns);
        assert_int_equal(quoit_timestamp_to_timespec(seconds, nanos, &time), 0);
        assert_true((__int128)time.tv_sec * E9 + time.tv_nsec == ns);
        assert_int_equal(quoit_timestamp_from_timespec(&time, &seconds, &nanos), 0);
        assert_true((__int128)seconds * E9 + nanos == ns);

        quoit_duration_from_ns(ns, &seconds, &nanos);
        assert_int_equal(quoit_duration_to_ns(seconds, nanos, &again), 0);
        assert_int_equal(again, ns);
        assert_int_equal(quoit_duration_to_timespec(seconds, nanos, &time), 0);
        assert_true((__int128)time.tv_sec * E9 + time.tv_nsec == ns);
        assert_int_equal(quoit_duration_from_timespec(&time, &seconds, &nanos), 0);
        assert_true((__int128)seconds * E9 + nanos == ns);
        assert_true(quoit_duration_is_valid(seconds, nanos));
}

static void all_nanoseconds_come_back(void **state)
{
        static const int64_t edges[] = { 0, 1, E9 - 1, E9, E9 + 1, INT64_MAX, INT64_MIN };
        uint64_t random = 1;

        (void)state;
        for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
                check_ns(edges[i]);
                if (edges[i] != INT64_MIN)
                        check_ns(-edges[i]);
        }
        for (int i = 0; i < 100000; i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                check_ns((int64_t)random >> (random >> 58));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_range_is_years_1_to_9999),
                cmocka_unit_test(timestamps_in_range_are_valid),
                cmocka_unit_test(durations_have_one_sign),
                cmocka_unit_test(what_is_out_of_range_is_an_error_and_nothing_else),
                cmocka_unit_test(a_timespec_out_of_range_is_an_error),
                cmocka_unit_test(halves_of_seconds_before_zero),
                cmocka_unit_test(all_nanoseconds_come_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
