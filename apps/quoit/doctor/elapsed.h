/* SPDX-License-Identifier: MIT */
#pragma once

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
        uint64_t now_ns = clock_now_ns();

        return now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns + 999999) / 1000000);
}
