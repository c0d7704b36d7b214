/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a peer takes what waits for it, by a rate: one byte now and then is no sign of a reader. The clock starts when
 * bytes begin to wait, and anew with each period in which enough was taken. Pure: whoever holds it has the clock, and does not look while
 * nothing waits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct stall {
        uint64_t since_ns;    /* when bytes began to wait, or the period began */
        uint64_t taken_bytes; /* since then */
};

/* What a peer owes: so many bytes in each period in which something waits all the time. */
struct stall_rule {
        uint64_t period_ns; /* UINT64_MAX: it owes nothing */
        uint64_t bytes_min;
};

static inline void stall_begin(struct stall *stall, uint64_t now_ns)
{
        *stall = (struct stall){ .since_ns = now_ns };
}

static inline void stall_take(struct stall *stall, uint64_t size)
{
        stall->taken_bytes += size;
}

/* True: it has taken too little in the period that is over. Else *@ret_due_ns is when to look again. */
static inline bool stall_look(
        struct stall *stall, const struct stall_rule *rule, uint64_t now_ns, uint64_t *ret_due_ns)
{
        if (now_ns - stall->since_ns >= rule->period_ns) {
                if (stall->taken_bytes < rule->bytes_min)
                        return true;
                stall_begin(stall, now_ns);
        }
        *ret_due_ns = clock_after_ns(stall->since_ns, rule->period_ns);
        return false;
}
