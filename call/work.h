/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Large steps of a ring, during which all its connections wait: compressing or decompressing a message, and parsing a large
 * one. Their time counts for the connection's turn and for the ring's (call/ring_share.h). Time is counted, not bytes: a peer
 * can make one byte a hundred times as costly as another.
 *
 *      uint64_t began_ns = work_begin(call);
 *      ...
 *      work_end(call, began_ns);
 *
 * On a worker it is not counted: no connection waits for it.
 */

#include "call/call.h"
#include "core/clock.h"

static inline uint64_t work_begin(const struct quoit_call *call)
{
        return call_clock_ns(call);
}

static inline void work_end(struct quoit_call *call, uint64_t began_ns)
{
        struct call_host *host = call_host_of(call);
        uint64_t now_ns = call_clock_ns(call), took_ns = now_ns - began_ns;

        if (call->offload)
                return;
        host->looked_ns = now_ns; /* as call_host_look() */
        call->exchange.group->work_ns += took_ns;
        ring_share_take(&host->share, ring_turns(host->ring), took_ns);
}

static inline uint64_t work_turn_ns(const struct call_host *host)
{
        return host->limits->turn_work_us * NS_PER_US;
}

/* The calls of a connection have used up their time in this turn of the ring. */
static inline bool call_group_is_over_budget(const struct call_group *group)
{
        return group->work_ns > work_turn_ns(group->host);
}
