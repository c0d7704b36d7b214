/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

static inline uint64_t clock_ns(clockid_t clock)
{
        struct timespec time;

        clock_gettime(clock, &time);
        return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static inline uint64_t now_ns(void)
{
        return clock_ns(CLOCK_MONOTONIC);
}

/* What this process has used of its processors. */
static inline uint64_t cpu_ns(void)
{
        return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}
