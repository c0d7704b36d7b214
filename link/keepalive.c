/* SPDX-License-Identifier: MIT */
#include "link/keepalive.h"

#include "core/clock.h"

void keepalive_init(struct keepalive *keepalive, uint32_t silence_ms, uint64_t now_ns)
{
        *keepalive = (struct keepalive){ .silence_ms = silence_ms, .heard_ns = now_ns };
}

bool keepalive_allows(struct keepalive *keepalive, const quoit_limits *limits, uint32_t pings,
        bool has_calls, bool was_answered, uint64_t now_ns)
{
        uint32_t interval_ms =
                has_calls ? limits->ping_interval_min_ms : limits->ping_interval_idle_min_ms;
        bool is_early = keepalive->pinged_ns != 0 &&
                        now_ns - keepalive->pinged_ns < interval_ms * NS_PER_MS;

        if (was_answered) {
                /* a client that measures its bandwidth sends a PING for data that it gets */
                keepalive->strikes = 0;
                is_early = false;
        }
        keepalive->pinged_ns = now_ns;
        /* of several together all but the first are early */
        keepalive->strikes += pings - !is_early;
        return limits->ping_strikes_max == UINT32_MAX ||
               keepalive->strikes <= limits->ping_strikes_max;
}

/* While a PING is unanswered: at the end of its time, or earlier, when it may have been answered and another one be due. */
static uint64_t look_again(
        const struct keepalive *keepalive, const quoit_limits *limits, uint64_t now_ns)
{
        uint64_t end_ns = clock_after_limit_ns(keepalive->asked_ns, limits->keepalive_timeout_ms);
        uint64_t next_ns = clock_after_limit_ns(now_ns, keepalive->silence_ms);

        return end_ns < next_ns ? end_ns : next_ns;
}

enum keepalive_verdict keepalive_look(struct keepalive *keepalive, const quoit_limits *limits,
        uint64_t now_ns, uint64_t *ret_due_ns)
{
        uint64_t due_ns = clock_after_limit_ns(keepalive->heard_ns, keepalive->silence_ms);

        if (keepalive->asked_ns == 0 && now_ns < due_ns) {
                *ret_due_ns = due_ns;
                return KEEPALIVE_ALIVE;
        }
        if (keepalive->asked_ns == 0) {
                keepalive->asked_ns = now_ns;
                *ret_due_ns = look_again(keepalive, limits, now_ns);
                return KEEPALIVE_ASK;
        }
        if (now_ns >= clock_after_limit_ns(keepalive->asked_ns, limits->keepalive_timeout_ms))
                return KEEPALIVE_DEAD;
        *ret_due_ns = look_again(keepalive, limits, now_ns);
        return KEEPALIVE_ALIVE;
}
