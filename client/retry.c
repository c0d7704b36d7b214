/* SPDX-License-Identifier: MIT */
#include "client/retry.h"

#include "codec/number.h"
#include "core/clock.h"

enum pushback pushback_parse(const char *value, size_t size, uint64_t *ret_ns)
{
        uint64_t ms;

        if (number_parse(value, size, INT32_MAX, &ms) < 0)
                return PUSHBACK_STOP;
        *ret_ns = ms * NS_PER_MS;
        return PUSHBACK_WAIT;
}

uint64_t retry_pause_ns(const struct retry_policy *policy, unsigned number, uint64_t jitter)
{
        double max_ns = (double)policy->max_ns, ns = (double)policy->initial_ns;
        uint64_t pause_ns;

        while (number-- > 1) /* at most SERVICE_CONFIG_ATTEMPTS_MAX times */
                ns *= policy->multiplier;
        pause_ns = ns < max_ns ? (uint64_t)ns : policy->max_ns;
        return pause_ns - pause_ns / 5 + jitter % (pause_ns / 5 * 2 + 1);
}
