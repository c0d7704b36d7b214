/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How often something may happen: so many times at once, and so many a second after that (a leaky bucket, as the generic
 * cell rate algorithm keeps it). All zeros is a new one. Pure: whoever holds it has the clock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct rate {
        uint64_t paid_ns; /* what has happened is paid for by then */
};

/* It happens @count times more. False: too often. */
static inline bool rate_allows(
        struct rate *rate, uint32_t count, uint32_t burst_max, uint32_t per_second, uint64_t now_ns)
{
        uint64_t price_ns = NS_PER_S / per_second;

        if (rate->paid_ns < now_ns)
                rate->paid_ns = now_ns;
        rate->paid_ns += count * price_ns;
        return rate->paid_ns - now_ns <= burst_max * price_ns;
}
