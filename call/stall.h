/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a peer reads the bytes that wait for it, by a minimum rate: one byte now and then is not enough. A period starts when
 * bytes begin to wait, and again after each period in which enough was taken. The caller passes the time, and does not call
 * stall_look() while nothing waits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct stall {
        uint64_t since_ns;    /* when bytes began to wait, or the period began */
        uint64_t taken_bytes; /* since then */
};

/* A peer must take @bytes_min in each period in which bytes wait all the time. */
struct stall_rule {
        uint64_t period_ns; /* UINT64_MAX: there is no minimum */
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
