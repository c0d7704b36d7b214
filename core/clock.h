/* SPDX-License-Identifier: MIT */
#pragma once

/* Arithmetic with times, in nanoseconds. To read the clock: core/ring.h. */

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

static inline struct timespec clock_timespec(uint64_t time_ns)
{
        return (struct timespec){ .tv_sec = (time_t)(time_ns / NS_PER_S),
                .tv_nsec = (long)(time_ns % NS_PER_S) };
}

/* A limit of @ms milliseconds in nanoseconds; UINT32_MAX, never, is UINT64_MAX. */
static inline uint64_t clock_limit_ns(uint32_t ms)
{
        return ms == UINT32_MAX ? UINT64_MAX : ms * NS_PER_MS;
}

/* @time_ns after @since_ns; UINT64_MAX, never, where the sum would overflow. */
static inline uint64_t clock_after_ns(uint64_t since_ns, uint64_t time_ns)
{
        uint64_t due_ns;

        return __builtin_add_overflow(since_ns, time_ns, &due_ns) ? UINT64_MAX : due_ns;
}

/* The same for a limit of @ms milliseconds. */
static inline uint64_t clock_after_limit_ns(uint64_t since_ns, uint32_t ms)
{
        return clock_after_ns(since_ns, clock_limit_ns(ms));
}
