/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * google.protobuf.Timestamp and Duration, to and from struct timespec and nanoseconds in 64 bits. Both messages are passed as
 * their two fields, so no generated header is needed here:
 *
 *      struct timespec now;
 *      int64_t seconds;
 *      int32_t nanos;
 *
 *      clock_gettime(CLOCK_REALTIME, &now);
 *      quoit_timestamp_from_timespec(&now, &seconds, &nanos);
 *      google_protobuf_Timestamp_set_seconds(stamp, seconds);
 *      google_protobuf_Timestamp_set_nanos(stamp, nanos);
 *
 * Values from a peer can be out of range: functions that read a message check that. A Timestamp is from 0001-01-01T00:00:00Z to
 * 9999-12-31T23:59:59.999999999Z, and its nanos count forwards, from 0 to 999,999,999. A Duration is from -315,576,000,000 to
 * 315,576,000,000 seconds (some 10,000 years); its nanos have the sign of its seconds. In a struct timespec, nanoseconds always
 * count forwards.
 *
 * Functions that return int: 0; -EINVAL: the input is out of range; -ERANGE: it is in range, but does not fit the output.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* Whether a Timestamp is in range. */
QUOIT_API bool quoit_timestamp_is_valid(int64_t seconds, int32_t nanos);

/* Whether a Duration is in range, and its fields have the same sign. */
QUOIT_API bool quoit_duration_is_valid(int64_t seconds, int32_t nanos);

/* Never -ERANGE. */
QUOIT_API int quoit_timestamp_to_timespec(
        int64_t seconds, int32_t nanos, struct timespec *ret_time);

/* -EINVAL: tv_nsec; -ERANGE: the year. */
QUOIT_API int quoit_timestamp_from_timespec(
        const struct timespec *time, int64_t *ret_seconds, int32_t *ret_nanos);

/* Since 1970-01-01T00:00:00Z; -ERANGE: before 1677-09-21 or after 2262-04-11. */
QUOIT_API int quoit_timestamp_to_ns(int64_t seconds, int32_t nanos, int64_t *ret_ns);

/* Since 1970-01-01T00:00:00Z. Every value of 64 bits is a valid Timestamp. */
QUOIT_API void quoit_timestamp_from_ns(int64_t ns, int64_t *ret_seconds, int32_t *ret_nanos);

/* Never -ERANGE. */
QUOIT_API int quoit_duration_to_timespec(int64_t seconds, int32_t nanos, struct timespec *ret_time);

/* -EINVAL: tv_nsec; -ERANGE: it is too long. */
QUOIT_API int quoit_duration_from_timespec(
        const struct timespec *time, int64_t *ret_seconds, int32_t *ret_nanos);

/* -ERANGE: it is longer than some 292 years. */
QUOIT_API int quoit_duration_to_ns(int64_t seconds, int32_t nanos, int64_t *ret_ns);

/* Every value of 64 bits is a valid Duration. */
QUOIT_API void quoit_duration_from_ns(int64_t ns, int64_t *ret_seconds, int32_t *ret_nanos);

QUOIT_END_DECLS
