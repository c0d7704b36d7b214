/* SPDX-License-Identifier: MIT */
#pragma once

/* Time, in nanoseconds of CLOCK_MONOTONIC. */

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

/* Now. A ring's own clock, ring_now_ns(), costs nothing, but stands still for a turn. */
static inline uint64_t clock_now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
