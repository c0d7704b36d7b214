/* SPDX-License-Identifier: MIT */
#include "server/errand.h"

#include <inttypes.h>
#include <stdlib.h>

#include "call/budget.h"
#include "call/call.h"
#include "call/generic.h"
#include "call/http.h"
#include "core/clock.h"
#include "server/decode.h"
#include "server/server.h"

void errand_take(struct quoit_call *call, enum event event, struct errand *errand)
{
        errand->call = call;
        errand->event = event;
        switch (event) {
        case EVENT_START:
                call->ring.started = true;
                if (!call_takes_many(call)) {
                        call->ring.half_close_delivered = true;
                        (void)reader_take(&call->exchange, &errand->message);
                }
                break;
        case EVENT_POST:
                errand->post = call->ring.posts;
                call->ring.posts = call->ring.posts->next;
                break;
        case EVENT_MESSAGE:
                (void)reader_take(&call->exchange, &errand->message);
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
        if (call->request.is_http) {
                note_handled(call);
                http_run(call);
                return;
        }
        request = decode_request(call, &errand->message, &errand->parsed_bytes);
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
                if (decode_bytes(call, &errand->message, &errand->parsed_bytes, &bytes))
                        generic_message(call, bytes);
        } else {
                request = decode_request(call, &errand->message, &errand->parsed_bytes);
                if (request)
                        route->method->on_message(
                                route->implementation, call, request, call->handler.state_user);
        }
        exchange_message_over(&call->exchange, errand->parsed_bytes);
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

void errand_run(struct errand *errand)
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

static void log_slow(const struct errand *errand, uint64_t since_ns)
{
        uint64_t now_ns = call_clock_ns(errand->call);

        server_log_peer(errand->server, QUOIT_LOG_WARNING, now_ns,
                "%s: its handler kept the ring, and all other calls there, for %" PRIu64
                " ms (slow_handler_ms); what blocks or takes long is for offloaded methods",
                call_path(errand->call), (now_ns - since_ns) / NS_PER_MS);
}

void errand_watch_time(const struct errand *errand)
{
        struct call_host *host = call_host_of(errand->call);
        uint64_t turn_ns = ring_now_ns(host->ring), since_ns = host->looked_ns;
        uint32_t slow_ms = host->limits->slow_handler_ms;

        call_host_look(host);
        if (since_ns < turn_ns)
                since_ns = turn_ns;
        if (host->looked_ns > since_ns && host->looked_ns - since_ns >= slow_ms * NS_PER_MS &&
                slow_ms != UINT32_MAX)
                log_slow(errand, since_ns);
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

void errand_settle(const struct errand *errand)
{
        struct quoit_call *call = errand->call;

        reader_message_free(&errand->message);
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
