/* SPDX-License-Identifier: MIT */
#include "server/dispatch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "call/budget.h"
#include "call/generic.h"
#include "call/offload.h"
#include "call/work.h"
#include "core/clock.h"
#include "link/workers.h"
#include "server/admission.h"
#include "server/decode.h"
#include "server/server.h"

#define RING_TURNS 4 /* heavy work of a ring in one turn: what so many connections may do */
#define EVENTS_A_TURN                                                                              \
        16 /* of one call: a stream of tiny messages must not keep the others waiting */

enum event {
        EVENT_NONE,
        EVENT_INTERCEPT,  /* interceptors have not seen its start */
        EVENT_START,      /* the request is complete, or it is one of many messages */
        EVENT_POST,       /* a function was posted */
        EVENT_MESSAGE,    /* one of many requests */
        EVENT_HALF_CLOSE, /* there are no more request messages */
        EVENT_WRITABLE,   /* the queue has room again */
        EVENT_CANCEL,     /* it was cancelled, and the handler wants to know at once */
        EVENT_DONE,       /* it is over: the last one */
};

/* An event and its data, on their way through a worker if the call is offloaded. */
struct errand {
        struct quoit_call *call;
        enum event event;
        struct reader_message *message; /* of START and MESSAGE */
        size_t parsed_bytes; /* what decoding took, beside the message's bytes */
        struct call_post *post;         /* of POST */
        struct quoit_server *server;
        struct work work;
        struct mail mail;
};

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

/* Takes the event's data out of the call, and notes that the event has happened. On the ring. */
static void take_event(struct quoit_call *call, enum event event, struct errand *errand)
{
        errand->call = call;
        errand->event = event;
        switch (event) {
        case EVENT_START:
                call->ring.started = true;
                if (!call_takes_many(call)) {
                        call->ring.half_close_delivered = true;
                        errand->message = reader_take(&call->exchange);
                }
                break;
        case EVENT_POST:
                errand->post = call->ring.posts;
                call->ring.posts = call->ring.posts->next;
                break;
        case EVENT_MESSAGE:
                errand->message = reader_take(&call->exchange);
                break;
        case EVENT_HALF_CLOSE:
                call->ring.half_close_delivered = true;
                break;
        case EVENT_WRITABLE:
                call->handler.wants_writable = false;
                break;
        case EVENT_CANCEL:
                call->ring.cancel_delivered = true;
                break;
        case EVENT_INTERCEPT:
        case EVENT_DONE:
        case EVENT_NONE:
                break;
        }
}

/* The handler is about to be called for the first time. */
static void note_handled(struct quoit_call *call)
{
        call->handler.handled = true;
        if (call_host_of(call)->interceptors)
                call->handler.handled_ns = call_clock_ns(call);
}

static void run_start(struct errand *errand)
{
        struct quoit_call *call = errand->call;
        const struct route *route = call->request.route;
        const struct upb_Message *request;

        if (quoit_call_cancelled(call))
                return; /* cancelled while it waited for a worker */
        if (call_takes_many(call)) {
                note_handled(call);
                call->handler.state_user =
                        route->method->on_start(route->implementation, call, route->user);
                return;
        }
        request = decode_request(call, errand->message, &errand->parsed_bytes);
        if (!request)
                return;
        note_handled(call);
        route->method->on_request(route->implementation, call, request, route->user);
}

static void run_message(struct errand *errand)
{
        struct quoit_call *call = errand->call;
        const struct route *route = call->request.route;
        const struct upb_Message *request;
        upb_StringView bytes;

        if (call_is_generic(call)) {
                if (decode_bytes(call, errand->message, &errand->parsed_bytes, &bytes))
                        generic_message(call, bytes);
        } else {
                request = decode_request(call, errand->message, &errand->parsed_bytes);
                if (request)
                        route->method->on_message(
                                route->implementation, call, request, call->handler.state_user);
        }
        if (call->exchange.lent.message_arena.upb)
                arena_reset_if_half_used(&call->exchange.lent.message_arena);
}

static void run_writable(struct quoit_call *call)
{
        const struct route *route = call->request.route;

        if (call->handler.pump)
                call->handler.pump(call, call->handler.pump_state);
        else if (call_takes_many(call))
                route->method->on_writable(route->implementation, call, call->handler.state_user);
}

static void run_post(struct quoit_call *call, struct call_post *post)
{
        if (!post->is_delay || !call->handler.finish_asked)
                post->fn(call, post->arg);
        free(post);
}

static void run_done(struct quoit_call *call)
{
        const struct route *route = call->request.route;

        if (call_takes_many(call) && call->handler.handled)
                route->method->on_done(route->implementation, call, call->handler.state_user);
        if (call->handler.on_done)
                call->handler.on_done(call, call->handler.done_state);
}

/* Runs user code, on the ring or on a worker. */
static void run_event(struct errand *errand)
{
        struct quoit_call *call = errand->call;
        const struct route *route = call->request.route;

        switch (errand->event) {
        case EVENT_INTERCEPT:
                interceptors_start(call);
                break;
        case EVENT_START:
                run_start(errand);
                break;
        case EVENT_POST:
                run_post(call, errand->post);
                break;
        case EVENT_MESSAGE:
                run_message(errand);
                break;
        case EVENT_HALF_CLOSE:
                route->method->on_half_close(route->implementation, call, call->handler.state_user);
                break;
        case EVENT_WRITABLE:
                run_writable(call);
                break;
        case EVENT_CANCEL:
                call->handler.on_cancel(call, call->handler.cancel_state);
                break;
        case EVENT_DONE:
                run_done(call);
                break;
        case EVENT_NONE:
                break;
        }
}

/* Nothing will ever make this call's handler run again, and it has not answered. */
static bool is_forgotten(const struct quoit_call *call)
{
        return call->ring.state == CALL_OPEN && call->ring.half_close_delivered &&
               !call->exchange.reader.first && !call->handler.finish_asked && !call_is_held(call) &&
               !call->handler.pump && !call->handler.wants_writable;
}

static void log_misuse(const struct errand *errand)
{
        struct quoit_call *call = errand->call;

        if (call->handler.misuse)
                server_log_peer(errand->server, QUOIT_LOG_ERROR,
                        ring_now_ns(call_host_of(call)->ring), "%s: a mistake of the handler: %s",
                        call_path(call), call->handler.misuse);
        call->handler.misuse = NULL;
}

/* After an event, on the ring again. Can free the call. */
static void settle(const struct errand *errand)
{
        struct quoit_call *call = errand->call;

        reader_message_free(errand->message);
        if (errand->parsed_bytes > 0) {
                budget_settle(call->exchange.group, errand->parsed_bytes);
                reader_hold_parsed(&call->exchange, errand->parsed_bytes);
        }
        if (errand->event == EVENT_DONE) {
                log_misuse(errand);
                call_set_state(call, CALL_DONE);
                call_free_message(call);
                call_release(call);
                return;
        }
        /* the pump may have waited for this event; a run of its own counts only if it has sent something */
        if (call->handler.pump && errand->event != EVENT_WRITABLE)
                call->handler.wants_writable = true;
        if (call->handler.failure != QUOIT_OK)
                call_cancel(call, call->handler.failure, call->handler.failure_text);
        if (is_forgotten(call)) {
                call->handler.misuse =
                        "it returned without a finish, a hold or a pump; answered INTERNAL";
                quoit_call_finish(call, QUOIT_INTERNAL, "the handler did not answer");
        }
        log_misuse(errand);
        if (call->handler.finish_asked)
                call_apply_finish(call);
}

static void log_slow(const struct errand *errand, uint64_t since_ns)
{
        uint64_t now_ns = call_clock_ns(errand->call);

        server_log_peer(errand->server, QUOIT_LOG_WARNING, now_ns,
                "%s: its handler kept the ring, and all other calls there, for %" PRIu64
                " ms (slow_handler_ms); what blocks or takes long is for offloaded methods",
                call_path(errand->call), (now_ns - since_ns) / NS_PER_MS);
}

/*
 * A handler has run on the ring. Hardly anything else took long since the one before it, or since the turn began: one look
 * at the clock a handler is enough.
 */
static void watch_time(const struct errand *errand)
{
        struct call_host *host = call_host_of(errand->call);
        uint64_t turn_ns = ring_now_ns(host->ring), since_ns = host->looked_ns;
        uint32_t slow_ms = host->limits->slow_handler_ms;

        host->looked_ns = ring_clock_coarse_ns(host->ring);
        if (since_ns < turn_ns)
                since_ns = turn_ns;
        if (host->looked_ns > since_ns && host->looked_ns - since_ns >= slow_ms * NS_PER_MS &&
                slow_ms != UINT32_MAX)
                log_slow(errand, since_ns);
}

/* Whether the event runs user code. */
static bool runs_handler(const struct quoit_call *call, enum event event)
{
        return event != EVENT_DONE || call->handler.on_done || call_takes_many(call);
}

static void on_returned(struct mail *mail)
{
        struct errand *errand = CONTAINER_OF(mail, struct errand, mail);
        struct quoit_call *call = errand->call;

        call->ring.at_worker = false;
        call_take(call);
        call->exchange.group->lent--;
        call_wake(call); /* this call, and others that waited for its place */
        settle(errand);
        free(errand);
}

static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct errand *errand = CONTAINER_OF(work, struct errand, work);
        struct call_host *host = call_host_of(errand->call);
        struct workers *workers = &errand->server->workers;
        struct offload_wait wait;

        call_take(errand->call);
        offload_begin(errand->call->offload, coders);
        run_event(errand);
        wait = offload_end(errand->call->offload);
        call_let_go(errand->call);
        errand->mail.on_delivery = on_returned;
        (void)call_host_post(host, &errand->mail); /* the ring waits for it */
        if (wait.yielded)
                workers_yielded(workers);
        return wait.waited_ns;
}

static bool lend(struct quoit_call *call, enum event event, struct quoit_server *server)
{
        struct errand *errand;

        if (event == EVENT_START && !admission_wait_for_worker(call, server))
                return false;
        errand = calloc(1, sizeof(*errand));
        if (errand && !call->offload)
                call->offload = offload_new(call);
        if (!errand || !call->offload) {
                free(errand);
                if (event != EVENT_START)
                        return true; /* no memory now: tried again in the next turn */
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return false;
        }
        /* the ring's pool is the ring's alone */
        assert(call->exchange.lent.arena.pool != call_host_of(call)->arenas &&
                call->exchange.lent.message_arena.pool != call_host_of(call)->arenas &&
                call->exchange.lent.scratch.pool != call_host_of(call)->arenas);
        take_event(call, event, errand);
        errand->server = server;
        errand->work.ring = call_host_of(call)->ring;
        errand->work.on_work = on_work;
        call->ring.at_worker = true;
        call_let_go(call);
        call->exchange.group->lent++;
        /* the end of a call frees memory: it goes before work that takes some */
        if (event == EVENT_DONE)
                workers_submit_first(&server->workers, &errand->work);
        else
                workers_submit(&server->workers, &errand->work);
        return false;
}

/* What comes before the handler runs on the ring, and so does an end without user code. */
static bool runs_on_worker(const struct quoit_call *call, enum event event)
{
        if (!call->request.route->options.offload || (event != EVENT_START && !call->ring.started))
                return false;
        return event != EVENT_DONE || call_takes_many(call) || call->handler.on_done;
}

/* The calls of one connection may use all workers but one, which is left for the others. Beyond that they do not queue. */
static bool share_is_used(const struct call_group *group, const struct quoit_server *server)
{
        unsigned workers = server->options.workers;

        return group->lent >= (workers > 1 ? workers - 1 : 1);
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
               !decode_is_heavy(call->exchange.reader.first) ||
               ring_share_allows(&host->share, ring_turns(host->ring),
                       RING_TURNS * work_turn_ns(host), in_line);
}

/* Posts, cancels and ends never wait. */
static bool may_wait(enum event event)
{
        return event == EVENT_INTERCEPT || event == EVENT_START || event == EVENT_MESSAGE ||
               event == EVENT_HALF_CLOSE || event == EVENT_WRITABLE;
}

enum dispatched dispatch_call(struct quoit_call *call, struct quoit_server *server, bool in_line)
{
        for (int i = 0; i < EVENTS_A_TURN; i++) {
                enum event event = next_event(call);
                struct errand errand = { .server = server };
                bool worker;

                if (event == EVENT_NONE)
                        return DISPATCHED_ALL;
                worker = runs_on_worker(call, event);
                if (may_wait(event) && call_group_is_congested(call->exchange.group))
                        return DISPATCHED_CONGESTED;
                if (may_wait(event) && worker && share_is_used(call->exchange.group, server))
                        return DISPATCHED_BUSY;
                if (may_wait(event) && (call_group_is_over_budget(call->exchange.group) ||
                                               (!worker && !has_time(call, event, in_line))))
                        return DISPATCHED_SOME;
                if (event == EVENT_START && is_over_memory(call)) {
                        call_cancel(call, QUOIT_RESOURCE_EXHAUSTED,
                                "the connection's requests are over the limit");
                        return DISPATCHED_ALL;
                }
                if (worker)
                        return lend(call, event, server) ? DISPATCHED_SOME : DISPATCHED_ALL;
                take_event(call, event, &errand);
                run_event(&errand);
                if (runs_handler(call, event))
                        watch_time(&errand);
                settle(&errand);
                if (event == EVENT_DONE)
                        return DISPATCHED_ALL;
        }
        return next_event(call) != EVENT_NONE ? DISPATCHED_SOME : DISPATCHED_ALL;
}
