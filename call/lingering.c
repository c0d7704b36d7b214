/* SPDX-License-Identifier: MIT */
#include "call/lingering.h"

#include "call/call.h"
#include "core/clock.h"

void lingering_init(struct lingering *lingering)
{
        list_init(&lingering->fresh);
        list_init(&lingering->logged);
        timer_init(&lingering->timer);
}

void lingering_deinit(struct call_host *host)
{
        timer_cancel(&host->ring->timers, &host->lingering.timer);
}

static void on_due(struct timer *timer);

/* For the call that ended first, if the timer does not run already. */
static void start_timer(struct call_host *host)
{
        struct lingering *lingering = &host->lingering;
        uint32_t end_ms = host->limits->handler_end_ms;
        const struct quoit_call *first;

        if (list_is_empty(&lingering->fresh) || end_ms == UINT32_MAX ||
                timer_is_running(&lingering->timer))
                return;
        first = CONTAINER_OF(lingering->fresh.next, struct quoit_call, ring.lingering);
        timer_start(&host->ring->timers, &lingering->timer,
                first->ring.ended_ns + end_ms * NS_PER_MS, on_due);
}

static void on_due(struct timer *timer)
{
        struct call_host *host = CONTAINER_OF(timer, struct call_host, lingering.timer);
        uint64_t end_ns = host->limits->handler_end_ms * NS_PER_MS;

        while (!list_is_empty(&host->lingering.fresh)) {
                struct quoit_call *call =
                        CONTAINER_OF(host->lingering.fresh.next, struct quoit_call, ring.lingering);

                if (call->ring.ended_ns + end_ns > ring_now_ns(host->ring))
                        break;
                list_remove(&call->ring.lingering);
                list_append(&host->lingering.logged, &call->ring.lingering);
                host->on_overdue(call);
        }
        start_timer(host);
}

void lingering_add(struct quoit_call *call)
{
        struct call_host *host = call_host_of(call);

        call->ring.lingers = true;
        call->ring.ended_ns = ring_now_ns(host->ring);
        list_init(&call->ring.lingering);
        list_append(&host->lingering.fresh, &call->ring.lingering);
        start_timer(host);
}

void lingering_remove(struct quoit_call *call)
{
        call->ring.lingers = false;
        list_remove(&call->ring.lingering);
}
