/* SPDX-License-Identifier: MIT */
#include "call/call.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "call/dialect.h"
#include "call/http.h"
#include "call/offload.h"
#include "call/report.h"
#include "call/response.h"
#include "codec/status.h"
#include "core/clock.h"
#include "core/usdt.h"

#define REST_NS (5000 * NS_PER_MS) /* for the rest of a begun message of a cancelled call */

static void count_start(struct call_group *group)
{
        uint64_t now_ns = ring_now_ns(group->host->ring);

        counter_add(&group->counts.started, 1);
        counter_set(&group->counts.last_started_ns, now_ns);
        counter_add(&group->host->counts.started, 1);
        counter_set(&group->host->counts.last_ns, now_ns);
}

void call_group_init(struct call_group *group, struct call_host *host, const struct peer *peer)
{
        group->host = host;
        group->peer = peer;
        list_init(&group->ended);
        list_init(&group->reports);
}

struct quoit_call *call_new(struct call_group *group)
{
        struct quoit_call *call = slab_alloc(group->host->calls);

        if (!call)
                return NULL;
        memset(call, 0, sizeof(*call)); /* in one piece, where an initializer would be several */
        call->ring.state = CALL_OPENING;
        call->ring.charged_to_peer = true;
        call_take(call);
        exchange_init(&call->exchange, group);
        list_init(&call->ring.delayed);
        list_init(&call->ring.children);
        group->count++;
        group->charged_to_peer++;
        count_start(group);
        return call;
}

static void call_discharge(struct quoit_call *call)
{
        if (call->ring.charged_to_peer)
                call->exchange.group->charged_to_peer--;
        call->ring.charged_to_peer = false;
}

/* Interceptors will see its end. */
static bool tells_end(const struct quoit_call *call)
{
        return call_host_of(call)->interceptors && call->ring.opened_ns > 0;
}

static void call_free(struct quoit_call *call)
{
        struct call_group *group = call->exchange.group;
        struct call_counts *counts = &group->host->counts;
        quoit_status outcome = call->ring.outcome;

        if (tells_end(call))
                interceptors_end(call);
        list_remove(&call->exchange.ready);
        call_drop_delayed(call);
        exchange_deinit(&call->exchange);
        offload_free(call->offload);
        if (call->ring.live_calls)
                atomic_fetch_sub_explicit(call->ring.live_calls, 1, memory_order_relaxed);
        call_discharge(call);
        slab_free(group->host->calls, call);
        group->count--;
        counter_add(outcome == QUOIT_OK ? &counts->succeeded : &counts->failed, 1);
        group->host->on_freed(group->host->user, group);
}

void call_free_given_up(struct quoit_call *call)
{
        call->ring.opened_ns =
                0; /* interceptors are not called: what they would free may be in use */
        call_free(call);
}

void call_set_route(struct quoit_call *call, const struct route *route)
{
        quoit_method_kind kind = route->method->kind;
        struct exchange *exchange = &call->exchange;

        call->request.route = route;
        exchange->takes_many = kind == QUOIT_CLIENT_STREAMING || kind == QUOIT_BIDI;
        exchange->sends_many = kind == QUOIT_SERVER_STREAMING || kind == QUOIT_BIDI;
        exchange->shares_arenas = route->options.offload;
}

void call_set_state(struct quoit_call *call, enum call_state state)
{
        static const unsigned allowed[] = {
                [CALL_OPENING] = 1u << CALL_OPEN | 1u << CALL_FINISHED | 1u << CALL_CANCELLED,
                [CALL_OPEN] = 1u << CALL_FINISHED | 1u << CALL_CANCELLED,
                [CALL_FINISHED] = 1u << CALL_DONE,
                [CALL_CANCELLED] = 1u << CALL_DONE,
                [CALL_DONE] = 0,
        };

        assert(allowed[call->ring.state] & 1u << state);
        call->ring.state = state;
        if (state == CALL_DONE && call->ring.lingers)
                lingering_remove(call);
}

/* Handler, stream and output no longer use it. */
static bool is_over(const struct quoit_call *call)
{
        const struct stream *stream = &call->exchange.stream;

        return call->ring.state == CALL_DONE && stream->state == STREAM_CLOSED &&
               !stream->session && stream->pins == 0;
}

void call_release(struct quoit_call *call)
{
        if (is_over(call))
                call_free(call);
}

void call_free_message(struct quoit_call *call)
{
        if (call_host_of(call)->interceptors)
                return; /* an on_end may read the metadata */
        if (!writer_needs_arena(&call->exchange.writer) && !call->handler.keeps_arena &&
                !call->front && call->handler.header_fields.count == 0 &&
                call->handler.trailer_fields.count == 0) {
                arena_deinit(&call->exchange.lent.arena);
                reader_release(&call->exchange);
        }
}

void call_adopt(struct quoit_call *call, struct call_child *child)
{
        assert(!call_is_ended(call));
        list_append(&call->ring.children, &child->link);
}

static void end_children(struct quoit_call *call)
{
        struct list *link;

        while ((link = list_pop(&call->ring.children))) {
                struct call_child *child = CONTAINER_OF(link, struct call_child, link);

                child->on_parent_end(child, call);
        }
}

/* The call is done, or its handler must still get on_done: the dispatcher calls it. */
static void call_end(struct quoit_call *call)
{
        timer_cancel(&call_host_of(call)->ring->timers, &call->exchange.deadline);
        end_children(call);
        if (!call->ring.started && call->ring.starts == 0) {
                call_set_state(call, CALL_DONE);
                return;
        }
        if (call->ring.state == CALL_CANCELLED)
                lingering_add(call);
        call_wake(call);
}

/* Its headers, if they were not sent, and the trailers, if nothing is queued before them. */
static void submit_finished(struct quoit_call *call)
{
        /* in a block that is both, the client would read the added header fields as trailers */
        if (!call->ring.headers_submitted && call->handler.header_fields.count > 0)
                response_submit_headers(call, &call->handler.header_fields);
        if (!call->ring.headers_submitted && call->exchange.writer.queued_bytes == 0) {
                response_submit_trailers_only(call, call->handler.status, call->handler.status_text,
                        call->handler.status_text_size, &call->handler.trailer_fields);
        } else if (call->exchange.writer.queued_bytes == 0) {
                /* not through call_pull(): nghttp2 pulls only while the window is open, and trailers need none */
                response_submit_trailers(call, call->handler.status, call->handler.status_text,
                        call->handler.status_text_size, &call->handler.trailer_fields);
        } else {
                stream_resume(&call->exchange.stream);
        }
}

static void submit_own_end(struct quoit_call *call)
{
        call->front->dialect->end(call, &(struct dialect_end){
                                                .status = call->handler.status,
                                                .text = call->handler.status_text,
                                                .text_size = call->handler.status_text_size,
                                                .headers = &call->handler.header_fields,
                                                .trailers = &call->handler.trailer_fields,
                                        });
}

void call_apply_finish(struct quoit_call *call)
{
        if (call->ring.state != CALL_OPEN)
                return;
        call_set_state(call, CALL_FINISHED);
        call->ring.outcome = call->handler.status;
        QUOIT_PROBE(call_end, call, call->handler.status);
        call_drop_delayed(call);
        if (call->request.is_http)
                http_submit_finished(call);
        else if (call_has_own_end(call))
                submit_own_end(call);
        else
                submit_finished(call);
        exchange_ask_to_send(&call->exchange);
        call_end(call);
}

void call_submit_headers(struct quoit_call *call)
{
        if (call->ring.headers_submitted || call_defers_headers(call))
                return;
        response_submit_headers(call, &call->handler.header_fields);
        exchange_ask_to_send(&call->exchange);
}

struct session_pull call_pull(struct quoit_call *call, size_t size_max)
{
        size_t queued = call->exchange.writer.queued_bytes;
        struct session_pull pull = { .size = queued < size_max ? queued : size_max };

        if (call->ring.trailers_submitted)
                return (struct session_pull){ 0 };
        if (call->ring.state == CALL_OPEN || pull.size < queued)
                return pull;
        if (call->request.is_http) {
                pull.last = pull.ends = true;
        } else if (call_has_own_end(call)) {
                pull.last = pull.ends = !quoit_call_cancelled(call) || call->ring.cancel_text;
                call->ring.trailers_submitted = pull.last;
        } else if (!quoit_call_cancelled(call)) {
                pull.last = true;
                response_submit_trailers(call, call->handler.status, call->handler.status_text,
                        call->handler.status_text_size, &call->handler.trailer_fields);
        } else if (call->ring.cancel_text) {
                pull.last = true;
                response_submit_trailers(call, call->ring.outcome, call->ring.cancel_text,
                        strlen(call->ring.cancel_text), NULL);
        }
        return pull;
}

void call_write(struct quoit_call *call, struct output *output, size_t size)
{
        writer_write(&call->exchange, output, size);
        if (call->exchange.writer.queued_bytes == 0 && call->ring.state == CALL_OPEN &&
                !call->ring.at_worker && call->handler.wants_writable)
                call_wake(call);
}

/* The same where the status is part of the body: it waits behind what was begun. */
static void end_cancelled(struct quoit_call *call, quoit_status status, const char *text)
{
        (void)writer_drop_unbegun(&call->exchange);
        call->ring.cancel_text = text;
        call->front->dialect->end(call,
                &(struct dialect_end){ .status = status, .text = text, .text_size = strlen(text) });
}

/* Sends the status. After half a message the peer could not read it, so the rest of that message is sent first. */
static void answer_cancelled(struct quoit_call *call, quoit_status status, const char *text)
{
        size_t text_size = strlen(text);

        if (call->request.is_http)
                http_submit_cancelled(call, status, text);
        else if (call_has_own_end(call))
                end_cancelled(call, status, text);
        else if (!call->ring.headers_submitted)
                response_submit_trailers_only(call, status, text, text_size, NULL);
        else if (writer_drop_unbegun(&call->exchange))
                response_submit_trailers(call, status, text, text_size, NULL);
        else
                call->ring.cancel_text = text;
        exchange_ask_to_send(&call->exchange);
}

static void on_rest_overdue(struct timer *timer)
{
        struct quoit_call *call = CONTAINER_OF(timer, struct quoit_call, exchange.deadline);

        if (call->ring.trailers_submitted || !call->exchange.stream.session)
                return;
        response_reset(call, call->ring.outcome);
        exchange_ask_to_send(&call->exchange);
}

/* Gives the peer a little time to read the rest of the begun message. */
static void await_rest(struct quoit_call *call)
{
        struct ring *ring = call_host_of(call)->ring;

        timer_start(&ring->timers, &call->exchange.deadline, ring_now_ns(ring) + REST_NS,
                on_rest_overdue);
}

void call_cancel(struct quoit_call *call, quoit_status status, const char *text)
{
        assert(status_is_for_library(status) ||
                (call->front && status == call->front->dialect->malformed));
        if (call->ring.state != CALL_OPENING && call->ring.state != CALL_OPEN)
                return;
        call_set_state(call, CALL_CANCELLED);
        call->ring.outcome = status == QUOIT_OK ? QUOIT_CANCELLED : status;
        QUOIT_PROBE(call_end, call, call->ring.outcome);
        atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
        offload_interrupt(call->offload);
        if (status != QUOIT_OK && call->exchange.stream.session)
                answer_cancelled(call, status, text);
        reader_drop(&call->exchange);
        if (!call->ring.cancel_text)
                writer_drop(&call->exchange);
        call_hasten_delayed(call);
        call_end(call);
        if (call->ring.cancel_text)
                await_rest(call);
}

void call_give_up(struct quoit_call *call, const char *text)
{
        if (call->ring.state == CALL_OPEN)
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, text);
        else
                response_reset(call, QUOIT_RESOURCE_EXHAUSTED);
        exchange_ask_to_send(&call->exchange);
}

/* A random time near the limit, so that clients that were refused together do not retry together. */
static void push_back(struct quoit_call *call)
{
        struct ring *ring = call_host_of(call)->ring;
        uint64_t middle_ms = call_limits(call)->retry_pushback_ms;
        uint64_t ms = middle_ms - middle_ms / 5 + ring_jitter(ring) % (middle_ms * 2 / 5 + 1);

        snprintf(call->ring.pushback_ms, sizeof(call->ring.pushback_ms), "%" PRIu64, ms);
}

void call_refuse(struct quoit_call *call, quoit_status status, const char *text, bool pushes_back)
{
        atomic_fetch_add_explicit(&call_host_of(call)->refused, 1, memory_order_relaxed);
        if (pushes_back)
                push_back(call);
        call_cancel(call, status, text);
}

void call_refuse_memory(struct quoit_call *call)
{
        room_note_refusal(&call_host_of(call)->room);
        call_refuse(call, QUOIT_RESOURCE_EXHAUSTED, CALL_SHORT_OF_MEMORY, true);
        if (call->ring.state == CALL_DONE) /* no handler has had it: the request is freed at once */
                call_free_message(call);
}

void call_fail(struct quoit_call *call, quoit_status status, const char *text)
{
        if (!call->offload) {
                call_cancel(call, status, text);
        } else if (call->handler.failure == QUOIT_OK) {
                atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
                call->handler.failure = status;
                call->handler.failure_text = text;
        }
}

void call_fail_memory(struct quoit_call *call)
{
        room_note_refusal(&call_host_of(call)->room);
        if (!call->offload)
                push_back(call);
        call_fail(call, QUOIT_RESOURCE_EXHAUSTED, CALL_SHORT_OF_MEMORY);
}

void call_refuse_http(struct quoit_call *call)
{
        call_set_state(call, CALL_FINISHED);
        call->ring.outcome = *call->request.http_status < '4' ? QUOIT_OK : QUOIT_UNKNOWN;
        call->ring.http_answered = true;
        if (call->request.http_text)
                response_submit_http(call, call->request.http_status, call->request.http_text);
        else
                response_submit_answer(call);
        exchange_ask_to_send(&call->exchange);
        call_end(call);
}

void call_on_stream_closed(struct quoit_call *call, bool in_order)
{
        struct call_group *group = call->exchange.group;

        counter_add(in_order ? &group->counts.succeeded : &group->counts.failed, 1);
        call_cancel(call, QUOIT_OK, NULL);
        if (!quoit_call_cancelled(call))
                call_discharge(call);
        writer_drop(&call->exchange);
        if (!is_over(call))
                return;
        if (!tells_end(call)) {
                call_free(call);
                return;
        }
        list_remove(&call->exchange.ready);
        list_append(&group->ended, &call->exchange.ready);
}

void call_group_run_settle(struct call_group *group)
{
        struct list *link;

        report_deliver(group);
        while ((link = list_pop(&group->ended)))
                call_free(CONTAINER_OF(link, struct quoit_call, exchange.ready));
}

void call_host_end_posts(struct call_host *host)
{
        atomic_store(&host->is_over, true);
        while (atomic_load(&host->posters) > 0)
                sched_yield();
}

int call_host_post(struct call_host *host, struct mail *mail)
{
        bool is_over;

        atomic_fetch_add(&host->posters, 1);
        is_over = atomic_load(&host->is_over);
        if (!is_over)
                ring_post(host->ring, NULL, mail);
        atomic_fetch_sub(&host->posters, 1);
        return is_over ? -ESHUTDOWN : 0;
}

static void on_deadline(struct timer *timer)
{
        struct quoit_call *call = CONTAINER_OF(timer, struct quoit_call, exchange.deadline);

        if (call->ring.state == CALL_OPENING)
                call_refuse_http(call);
        else
                call_cancel(call, QUOIT_DEADLINE_EXCEEDED,
                        call->request.is_method_timeout ? "deadline exceeded (deadline_max_ms)"
                                                        : "deadline exceeded");
}

void call_await_http(struct quoit_call *call, uint64_t time_ns)
{
        struct ring *ring = call_host_of(call)->ring;

        timer_start(
                &ring->timers, &call->exchange.deadline, ring_now_ns(ring) + time_ns, on_deadline);
}

void call_set_deadline(struct quoit_call *call, uint64_t timeout_ns)
{
        struct ring *ring = call_host_of(call)->ring;

        if (__builtin_add_overflow(ring_now_ns(ring), timeout_ns, &call->exchange.deadline_ns))
                call->exchange.deadline_ns = UINT64_MAX;
        if (call->exchange.deadline_ns != UINT64_MAX)
                timer_start(&ring->timers, &call->exchange.deadline, call->exchange.deadline_ns,
                        on_deadline);
}
