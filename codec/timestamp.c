/* SPDX-License-Identifier: MIT */
#include <quoit/timestamp.h>

#include <errno.h>

#define NS_PER_SECOND 1000000000

/* The ranges are those of the comments in timestamp.proto and duration.proto. */
#define TIMESTAMP_SECONDS_MIN INT64_C(-62135596800)
#define TIMESTAMP_SECONDS_MAX INT64_C(253402300799)
#define DURATION_SECONDS_MAX INT64_C(315576000000)

static bool is_in(int64_t value, int64_t min, int64_t max)
{
        return min <= value && value <= max;
}

bool quoit_timestamp_is_valid(int64_t seconds, int32_t nanos)
{
        return is_in(seconds, TIMESTAMP_SECONDS_MIN, TIMESTAMP_SECONDS_MAX) &&
               is_in(nanos, 0, NS_PER_SECOND - 1);
}

bool quoit_duration_is_valid(int64_t seconds, int32_t nanos)
{
        return is_in(seconds, -DURATION_SECONDS_MAX, DURATION_SECONDS_MAX) &&
               is_in(nanos, seconds > 0 ? 0 : 1 - NS_PER_SECOND,
                       seconds < 0 ? 0 : NS_PER_SECOND - 1);
}

/* Moves a second, so that nanoseconds count forwards. */
static void count_forwards(int64_t *seconds, int32_t *nanos)
{
        if (*nanos < 0) {
                *seconds -= 1;
                *nanos += NS_PER_SECOND;
        }
}

/* Moves a second, so that nanoseconds, which count forwards, have the sign of the seconds. */
static void count_from_zero(int64_t *seconds, int32_t *nanos)
{
        if (*seconds < 0 && *nanos > 0) {
                *seconds += 1;
                *nanos -= NS_PER_SECOND;
        }
}

/* Makes both signs equal: the product alone can overflow where the sum does not. */
static int to_ns(int64_t seconds, int32_t nanos, int64_t *ret_ns)
{
        __int128 ns = (__int128)seconds * NS_PER_SECOND + nanos;

        if (ns < INT64_MIN || ns > INT64_MAX)
                return -ERANGE;
        *ret_ns = (int64_t)ns;
        return 0;
}

/* ---- Timestamp ---- */

int quoit_timestamp_to_timespec(int64_t seconds, int32_t nanos, struct timespec *ret_time)
{
        if (!quoit_timestamp_is_valid(seconds, nanos))
                return -EINVAL;
        *ret_time = (struct timespec){ .tv_sec = seconds, .tv_nsec = nanos };
        return 0;
}

int quoit_timestamp_from_timespec(
        const struct timespec *time, int64_t *ret_seconds, int32_t *ret_nanos)
{
        if (!is_in(time->tv_nsec, 0, NS_PER_SECOND - 1))
                return -EINVAL;
        if (!is_in(time->tv_sec, TIMESTAMP_SECONDS_MIN, TIMESTAMP_SECONDS_MAX))
                return -ERANGE;
        *ret_seconds = time->tv_sec;
        *ret_nanos = (int32_t)time->tv_nsec;
        return 0;
}

int quoit_timestamp_to_ns(int64_t seconds, int32_t nanos, int64_t *ret_ns)
{
        return quoit_timestamp_is_valid(seconds, nanos) ? to_ns(seconds, nanos, ret_ns) : -EINVAL;
}

void quoit_timestamp_from_ns(int64_t ns, int64_t *ret_seconds, int32_t *ret_nanos)
{
        *ret_seconds = ns / NS_PER_SECOND;
        *ret_nanos = (int32_t)(ns % NS_PER_SECOND);
        count_forwards(ret_seconds, ret_nanos);
}

/* ---- Duration ---- */

int quoit_duration_to_timespec(int64_t seconds, int32_t nanos, struct timespec *ret_time)
{
        if (!quoit_duration_is_valid(seconds, nanos))
                return -EINVAL;
        count_forwards(&seconds, &nanos);
        *ret_time = (struct timespec){ .tv_sec = seconds, .tv_nsec = nanos };
        return 0;
}

int quoit_duration_from_timespec(
        const struct timespec *time, int64_t *ret_seconds, int32_t *ret_nanos)
{
        int64_t seconds = time->tv_sec;
        int32_t nanos;

        if (!is_in(time->tv_nsec, 0, NS_PER_SECOND - 1))
                return -EINVAL;
        nanos = (int32_t)time->tv_nsec;
        count_from_zero(&seconds, &nanos);
        if (!quoit_duration_is_valid(seconds, nanos))
                return -ERANGE;
        *ret_seconds = seconds;
        *ret_nanos = nanos;
        return 0;
}

int quoit_duration_to_ns(int64_t seconds, int32_t nanos, int64_t *ret_ns)
{
        return quoit_duration_is_valid(seconds, nanos) ? to_ns(seconds, nanos, ret_ns) : -EINVAL;
}

void quoit_duration_from_ns(int64_t ns, int64_t *ret_seconds, int32_t *ret_nanos)
{
        *ret_seconds = ns / NS_PER_SECOND;
        *ret_nanos = (int32_t)(ns % NS_PER_SECOND);
}
