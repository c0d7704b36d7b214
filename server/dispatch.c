/* SPDX-License-Identifier: MIT */
#include "server/dispatch.h"

#include "call/work.h"
#include "server/decode.h"
#include "server/errand.h"
#include "server/lending.h"
#include "server/server.h"

#define RING_TURNS 4 /* heavy work of a ring in one turn: what so many connections may do */
#define EVENTS_A_TURN                                                                              \
        16 /* of one call: a stream of tiny messages must not keep the others waiting */

static bool request_is_complete(const struct quoit_call *call)
{
        return !stream_is_remote_open(&call->exchange.stream);
}

static bool wants_cancel(const struct quoit_call *call)
{
        return call->ring.state == CALL_CANCELLED && call->handler.on_cancel &&
               !call->ring.cancel_delivered && !call->handler.finish_asked;
}

/* Before the handler starts. Interceptors can hold the call or end it; otherwise it is OPEN. */
static enum event next_start_event(const struct quoit_call *call)
{
        if (wants_cancel(call))
                return EVENT_CANCEL;
        if (call->ring.posts)
                return EVENT_POST;
        if (call->ring.state != CALL_OPEN)
                return call->handler.held ? EVENT_NONE : EVENT_DONE;
        if (call_is_held(call))
                return EVENT_NONE;
        if (interceptors_remain(call))
                return EVENT_INTERCEPT;
        return call_takes_many(call) || request_is_complete(call) ? EVENT_START : EVENT_NONE;
}

static enum event next_event(const struct quoit_call *call)
{
        if (call->ring.at_worker || call->ring.state == CALL_OPENING ||
                call->ring.state == CALL_DONE)
                return EVENT_NONE;
        if (!call->ring.started)
                return next_start_event(call);
        if (wants_cancel(call))
                return EVENT_CANCEL;
        if (call->ring.posts)
                return EVENT_POST;
        if (call->ring.state == CALL_OPEN) {
                if (exchange_has_message(&call->exchange))
                        return EVENT_MESSAGE;
                if (request_is_complete(call) && !call->exchange.reader.first &&
                        !call->ring.half_close_delivered)
                        return EVENT_HALF_CLOSE;
                if (call->handler.wants_writable && call->exchange.writer.queued_bytes == 0)
                        return EVENT_WRITABLE;
                return EVENT_NONE;
        }
        return call->handler.held ? EVENT_NONE : EVENT_DONE;
}

/* The request would grow when decoded, and those of its connection hold too much already. */
static bool is_over_memory(const struct quoit_call *call)
{
        return call->exchange.reader.first &&
               call_group_held_bytes(call->exchange.group) >
                       call_limits(call)->connection_receive_bytes_max;
}

/* Whether the ring has time left in this turn for an event that may take long. */
static bool has_time(const struct quoit_call *call, enum event event, bool in_line)
{
        struct call_host *host = call_host_of(call);

        return (event != EVENT_START && event != EVENT_MESSAGE) ||
               !reader_message_is_heavy(reader_next(&call->exchange.reader)) ||
               ring_share_allows(&host->share, ring_turns(host->ring),
                       RING_TURNS * work_turn_ns(host), in_line);
}

/* Posts, cancels and ends never wait. */
static bool may_wait(enum event event)
{
        return event == EVENT_INTERCEPT || event == EVENT_START || event == EVENT_MESSAGE ||
               event == EVENT_HALF_CLOSE || event == EVENT_WRITABLE;
}

/* Whether the event runs user code. */
static bool runs_handler(const struct quoit_call *call, enum event event)
{
        return event != EVENT_DONE || call->handler.on_done || call_takes_many(call);
}

enum dispatched dispatch_call(struct quoit_call *call, struct quoit_server *server, bool in_line)
{
        for (int i = 0; i < EVENTS_A_TURN; i++) {
                enum event event = next_event(call);
                struct errand errand = { .server = server };
                bool worker;

                if (event == EVENT_NONE)
                        return DISPATCHED_ALL;
                worker = lending_takes(call, event);
                if (may_wait(event) && call_group_is_congested(call->exchange.group))
                        return DISPATCHED_CONGESTED;
                if (may_wait(event) && worker &&
                        lending_share_is_used(call->exchange.group, server))
                        return DISPATCHED_BUSY;
                if (may_wait(event) && (call_group_is_over_budget(call->exchange.group) ||
                                               (!worker && !has_time(call, event, in_line))))
                        return DISPATCHED_SOME;
                if (event == EVENT_START && is_over_memory(call)) {
                        call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, CALL_OVER_CONNECTION);
                        return DISPATCHED_ALL;
                }
                if (worker) {
                        lending_submit(call, event, server);
                        return DISPATCHED_ALL;
                }
                errand_take(call, event, &errand);
                errand_run(&errand);
                if (runs_handler(call, event))
                        errand_watch_time(&errand);
                errand_settle(&errand);
                if (event == EVENT_DONE)
                        return DISPATCHED_ALL;
        }
        return next_event(call) != EVENT_NONE ? DISPATCHED_SOME : DISPATCHED_ALL;
}
