/* SPDX-License-Identifier: MIT */
#include "client/backoff.h"

#include "core/clock.h"

uint64_t backoff_next_ns(
        struct backoff *backoff, uint32_t initial_ms, uint32_t max_ms, uint64_t jitter)
{
        uint64_t max_ns = max_ms * NS_PER_MS;
        uint64_t pause_ns =
                backoff->pause_ns == 0 ? initial_ms * NS_PER_MS : backoff->pause_ns / 10 * 16;

        if (pause_ns > max_ns)
                pause_ns = max_ns;
        backoff->pause_ns = pause_ns;
        return pause_ns - pause_ns / 5 + jitter % (pause_ns / 5 * 2 + 1);
}
