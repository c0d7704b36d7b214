/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A limit on how often something happens: a burst at once, and so many a second after that (a leaky bucket, kept as in the
 * generic cell rate algorithm). All zeros is a new one. Pure: the caller has the clock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct rate {
        uint64_t paid_ns; /* by then all that has happened is paid for */
};

/* Counts @count more events. False: too many. */
static inline bool rate_allows(
        struct rate *rate, uint32_t count, uint32_t burst_max, uint32_t per_second, uint64_t now_ns)
{
        uint64_t price_ns = NS_PER_S / per_second;

        if (rate->paid_ns < now_ns)
                rate->paid_ns = now_ns;
        rate->paid_ns += count * price_ns;
        return rate->paid_ns - now_ns <= burst_max * price_ns;
}
