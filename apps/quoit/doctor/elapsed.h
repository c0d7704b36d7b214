/* SPDX-License-Identifier: MIT */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "../../common/clock.h"

/* CLOCK_MONOTONIC in ms, for what people read: 0.3 ms. */
static inline double elapsed_ms(uint64_t since_ns)
{
        return (double)(clock_now_ns() - since_ns) / 1e6;
}

/* How long poll(2) may wait until @deadline_ns, rounded up. 0: it is over. */
static inline int elapsed_left_ms(uint64_t deadline_ns)
{
        uint64_t now_ns = clock_now_ns(), left_ms;

        if (now_ns >= deadline_ns)
                return 0;
        left_ms = (deadline_ns - now_ns - 1) / 1000000 + 1;
        return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}
