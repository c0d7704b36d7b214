/* SPDX-License-Identifier: MIT */
#include "client/outcall_retry.h"

#include "client/balancer.h"
#include "client/channel.h"
#include "client/outcall.h"

static struct ring *ring_of(const struct quoit_outcall *call)
{
        return call->exchange.group->host->ring;
}

/* ---- between two attempts ---- */

/* It waits for a connection again, once it is settled, its pause is over and no output refers to what is sent again. */
static void go_on(struct quoit_outcall *call)
{
        if (call->state != OUTCALL_PAUSED || call->has_left || timer_is_running(&call->pause) ||
                call->exchange.stream.pins > 0)
                return;
        authorization_drop(call); /* of an attempt that has not begun */
        call->exchange.stream = (struct stream){ .pins = 0 };
        writer_rewind(&call->exchange);
        if (call->face && outcall_subject(call->face) == call) /* it has won meanwhile */
                writer_forget(&call->exchange);
        outcall_set_state(call, OUTCALL_WAITING);
        interception_open_attempt(call, call->attempt.next_kind);
        channel_queue(call->channel, call, true);
}

static void on_pause_over(struct timer *timer)
{
        go_on(CONTAINER_OF(timer, struct quoit_outcall, pause));
}

/* It is settled before the channel looks at its queue. */
static void leave(struct quoit_outcall *call)
{
        struct client *client = call->channel->client;

        outcall_set_state(call, OUTCALL_PAUSED);
        call->has_left = true;
        call->left_status = call->was_unprocessed ? QUOIT_UNAVAILABLE : call->status;
        list_remove(&call->exchange.ready);
        list_append(&client->left, &call->exchange.ready);
        client_stir(client);
}

void outcall_leave(struct quoit_outcall *call)
{
        outcall_move(call, &call->channel->group);
        leave(call);
}

void outcall_settle(struct quoit_outcall *call)
{
        call->has_left = false;
        interception_close_attempt(call, call->left_status);
        balancer_on_over(call, call->left_status);
        call->response = (struct response){ 0 }; /* its block may have begun */
        call->exchange.reader.compression = QUOIT_IDENTITY;
        go_on(call);
}

void outcall_on_unpinned(struct quoit_outcall *call)
{
        writer_unpinned(&call->exchange);
        go_on(call);
        outcall_release(call);
}

/* ---- where no server has processed it ---- */

bool outcall_retry_unprocessed(struct quoit_outcall *call, bool refused)
{
        if (call->state != OUTCALL_OPEN || call->is_check || call->exchange.stream.has_headers ||
                !writer_can_rewind(&call->exchange.writer) || (refused && call->was_refused) ||
                call->channel->state == QUOIT_CHANNEL_SHUTDOWN)
                return false;
        call->was_refused |= refused;
        call->was_unprocessed = true;
        call->attempt.next_kind = QUOIT_ATTEMPT_TRANSPARENT;
        counter_add(&call->channel->retry_counts.transparent, 1);
        outcall_leave(call);
        return true;
}

/* ---- by the policy ---- */

/* Also counts what the attempt says about the server. */
static bool is_due(struct quoit_outcall *call, quoit_status status)
{
        struct throttle *throttle = &call->channel->throttle;
        bool stops = call->response.pushback == PUSHBACK_STOP;
        bool is_retryable = status_set_has(call->retry.policy.codes, status);

        if (call->is_check) /* health_check.c begins it again; and what it hears is of no call */
                return false;
        if (is_retryable || stops)
                throttle_note_failure(throttle);
        if (!is_retryable || stops || call->response.has_headers ||
                !writer_can_rewind(&call->exchange.writer) ||
                call->retry.attempts >= call->retry.policy.attempts_max)
                return false;
        if (!throttle_allows(throttle)) {
                counter_add(&call->channel->retry_counts.throttled, 1);
                return false;
        }
        return true;
}

static void pause_call(struct quoit_outcall *call)
{
        struct retry *retry = &call->retry;
        uint64_t pause_ns = call->response.pushback_ns;

        if (call->response.pushback == PUSHBACK_WAIT)
                retry->pauses = 0; /* the policy's begin anew */
        else
                pause_ns =
                        retry_pause_ns(&retry->policy, ++retry->pauses, ring_jitter(ring_of(call)));
        timer_start(&ring_of(call)->timers, &call->pause, ring_clock_ns(ring_of(call)) + pause_ns,
                on_pause_over);
}

/* The stream of an attempt that has failed may be open. */
static void end_stream(struct quoit_outcall *call)
{
        struct stream *stream = &call->exchange.stream;

        if (stream_is_remote_open(stream)) {
                stream_reset(stream, NGHTTP2_CANCEL);
                exchange_ask_to_send(&call->exchange);
        }
}

bool outcall_try_again(struct quoit_outcall *call, quoit_status status, upb_StringView message)
{
        if (call->state == OUTCALL_LEAVING || call->state == OUTCALL_PAUSED)
                return true; /* more news of an attempt that has failed */
        if (outcall_is_over(call) || status == QUOIT_OK)
                return false;
        if (call->face)
                return hedging_try_again(call, status);
        if (!is_due(call, status))
                return false;
        call->status = status;
        call->message = message;
        call->retry.attempts++;
        call->attempt.next_kind = QUOIT_ATTEMPT_RETRY;
        counter_add(&call->channel->retry_counts.retries, 1);
        pause_call(call);
        if (call->state == OUTCALL_WAITING) {
                channel_unqueue(call->channel, call);
                leave(call);
        } else if (call->state == OUTCALL_AUTHORIZING) {
                leave(call);
        } else if (call->exchange.stream.session) {
                outcall_set_state(call, OUTCALL_LEAVING);
                end_stream(call);
        } else {
                outcall_leave(call);
        }
        return true;
}
