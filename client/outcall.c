/* SPDX-License-Identifier: MIT */
#include "client/outcall.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/channel.h"
#include "client/channel_config.h"
#include "client/client_connection.h"
#include "client/credentials.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall_parent.h"
#include "client/outcall_request.h"
#include "client/outcall_retry.h"
#include "client/service_config.h"
#include "codec/status.h"
#include "codec/xxhash.h"
#include "core/clock.h"

bool outcall_is_here(const struct quoit_outcall *call, const char *function)
{
        const struct client *client = call->channel->client;

        if (client_is_inherited(client->handle))
                return false;
        if (client_is_here(client))
                return true;
        note_misuse(client->handle, call->method, call->method->path, function, WRONG_THREAD);
        return false;
}

void outcall_set_state(struct quoit_outcall *call, enum outcall_state state)
{
        static const unsigned allowed[] = {
                [OUTCALL_WAITING] = 1u << OUTCALL_AUTHORIZING | 1u << OUTCALL_OPEN |
                                    1u << OUTCALL_PAUSED | 1u << OUTCALL_HEDGED |
                                    1u << OUTCALL_ENDED,
                [OUTCALL_AUTHORIZING] =
                        1u << OUTCALL_WAITING | 1u << OUTCALL_PAUSED | 1u << OUTCALL_ENDED,
                [OUTCALL_OPEN] = 1u << OUTCALL_LEAVING | 1u << OUTCALL_PAUSED | 1u << OUTCALL_ENDED,
                [OUTCALL_LEAVING] = 1u << OUTCALL_PAUSED | 1u << OUTCALL_ENDED,
                [OUTCALL_PAUSED] = 1u << OUTCALL_WAITING | 1u << OUTCALL_ENDED,
                [OUTCALL_HEDGED] = 1u << OUTCALL_ENDED,
                [OUTCALL_ENDED] = 1u << OUTCALL_DONE,
                [OUTCALL_DONE] = 0,
        };

        assert(allowed[call->state] & 1u << state);
        call->state = state;
}

static bool is_unconnected(const struct quoit_outcall *call)
{
        return call->exchange.group == &call->channel->group;
}

void outcall_wake(struct quoit_outcall *call)
{
        struct exchange *exchange = &call->exchange;
        struct client *client = call->channel->client;

        if (!is_unconnected(call)) {
                exchange->group->host->on_ready(exchange);
                return;
        }
        if (list_is_empty(&exchange->ready))
                list_append(&client->ready, &exchange->ready);
        client_stir(client);
}

/* ---- its end ---- */

static void outcall_end(struct quoit_outcall *call, quoit_status status, upb_StringView message)
{
        struct timers *timers = &call->exchange.group->host->ring->timers;

        /* an attempt that was not dropped: this end is the call's */
        if (call->face && !list_is_empty(&call->sibling)) {
                hedging_win(call);
                timer_cancel(timers, &call->face->exchange.deadline);
        }
        if (!list_is_empty(&call->queued))
                channel_unqueue(call->channel, call);
        timer_cancel(timers, &call->pause);
        authorization_drop(call);
        outcall_set_state(call, OUTCALL_ENDED);
        call->status = status;
        call->message = message;
        timer_cancel(timers, &call->exchange.deadline);
        if (call->hedging)
                hedging_end(call); /* what is sent stays: outputs may refer to it */
        else
                writer_drop(&call->exchange);
        outcall_wake(call);
}

void outcall_finish(struct quoit_outcall *call, quoit_status status, upb_StringView message)
{
        if (outcall_is_over(call))
                return;
        if (status == QUOIT_OK && !call->is_check)
                throttle_note_success(&call->channel->throttle);
        outcall_end(call, status, message);
}

static void end_from_here(struct quoit_outcall *call, quoit_status status, upb_StringView message)
{
        struct stream *stream;

        call = outcall_subject(call);
        stream = &call->exchange.stream;
        if (call->state == OUTCALL_DONE || call->has_failed)
                return;
        call->has_failed = true;
        if (call->state ==
                OUTCALL_ENDED) { /* with the server's status, but without all of its messages */
                call->status = status;
                call->message = message;
                outcall_wake(call);
        } else {
                outcall_end(call, status, message);
        }
        reader_drop(&call->exchange);
        if (stream->session) {
                stream_reset(stream, NGHTTP2_CANCEL);
                exchange_ask_to_send(&call->exchange);
        }
}

static void fail(struct quoit_outcall *call, quoit_status status, upb_StringView message)
{
        assert(status_is_for_library(status));
        end_from_here(call, status, message);
}

void outcall_fail(struct quoit_outcall *call, quoit_status status, const char *text)
{
        fail(call, status, upb_StringView_FromString(text));
}

/* Zero-terminated, in the call's arena; parts of @text may be the server's. */
static upb_StringView copy_text(struct quoit_outcall *call, const char *text)
{
        upb_Arena *arena = exchange_arena(&call->exchange);
        size_t size = strlen(text);
        char *copy = arena ? upb_Arena_Malloc(arena, size + 1) : NULL;

        for (size_t i = 0; copy && i <= size; i++)
                copy[i] = (text[i] >= ' ' && text[i] <= '~') || i == size ? text[i] : '?';
        return upb_StringView_FromString(copy ? copy : "");
}

void outcall_refuse(struct quoit_outcall *call, quoit_status status, const char *text)
{
        end_from_here(call, status, copy_text(call, text));
}

void outcall_fail_copy(struct quoit_outcall *call, quoit_status status, const char *text)
{
        fail(call, status, copy_text(call, text));
}

void outcall_fail_attempt(struct quoit_outcall *call, quoit_status status, const char *text)
{
        upb_StringView message = copy_text(call, text);

        if (!outcall_try_again(call, status, message))
                fail(call, status, message);
}

void outcall_finish_attempt(struct quoit_outcall *call, quoit_status status, const char *text)
{
        upb_StringView message;

        if (outcall_is_over(call))
                return;
        message = copy_text(call, text);
        if (!outcall_try_again(call, status, message))
                outcall_end(call, status, message);
}

void outcall_set_done(struct quoit_outcall *call)
{
        outcall_set_state(call, OUTCALL_DONE);
        interception_close_attempt(call, call->status);
        balancer_on_over(call, call->status);
}

static bool is_unused(const struct quoit_outcall *call)
{
        return call->state == OUTCALL_DONE && !call->exchange.stream.session &&
               call->exchange.stream.pins == 0 && !interception_holds(call) &&
               !(call->hedging && call->hedging->left > 0);
}

void outcall_release(struct quoit_outcall *call)
{
        struct call_group *group = call->exchange.group;
        struct channel *channel = call->channel;
        struct quoit_outcall *face = call->face;
        bool was_connected = !is_unconnected(call);

        if (!is_unused(call))
                return;
        if (face)
                hedging_forget(face, call);
        if (call->hedging)
                channel->replay.bytes -= call->hedging->stored_bytes;
        list_remove(&call->exchange.ready);
        list_remove(&call->link);
        list_remove(&call->child.link);
        list_remove(&call->sibling);
        quoit_call_credentials_free(call->authorization.credentials);
        exchange_deinit(&call->exchange);
        slab_free(&channel->client->calls.slab, call);
        group->count--;
        if (was_connected)
                group->host->on_freed(group->host->user, group);
        if (channel->state == QUOIT_CHANNEL_SHUTDOWN)
                channel_stir(channel);
        if (face)
                outcall_release(face);
}

/* ---- its beginning ---- */

static void describe_waiting(const struct quoit_outcall *call, char *text, size_t size)
{
        char why[QUOIT_ERROR_TEXT_BYTES / 2];

        addresses_describe(call->channel, why, sizeof(why));
        snprintf(text, size, "deadline exceeded while the call waited for a connection%s%s",
                why[0] ? ": " : "", why);
}

static void on_deadline(struct timer *timer)
{
        struct quoit_outcall *call = CONTAINER_OF(timer, struct quoit_outcall, exchange.deadline);
        char text[QUOIT_ERROR_TEXT_BYTES] = "deadline exceeded";

        if (interception_holds(call))
                snprintf(
                        text, sizeof(text), "deadline exceeded while an interceptor held the call");
        else if (outcall_leader(call)->state == OUTCALL_WAITING)
                describe_waiting(call, text, sizeof(text));
        else if (outcall_leader(call)->state == OUTCALL_AUTHORIZING)
                snprintf(text, sizeof(text),
                        "deadline exceeded while the call waited for its credentials");
        else if (call->state == OUTCALL_PAUSED)
                snprintf(text, sizeof(text),
                        "deadline exceeded before attempt %u; the last one: %s: %.*s",
                        call->retry.attempts, quoit_status_name(call->status),
                        (int)call->message.size, call->message.data);
        outcall_fail_copy(call, QUOIT_DEADLINE_EXCEEDED, text);
}

static uint64_t timeout_of(const quoit_call_options *options, const struct method_config *config)
{
        uint64_t own_ns = options->timeout_ms > 0 ? options->timeout_ms * NS_PER_MS : UINT64_MAX;

        return own_ns < config->timeout_ns ? own_ns : config->timeout_ns;
}

void outcall_limit_time(struct quoit_outcall *call, uint64_t deadline_ns)
{
        struct exchange *exchange = &call->exchange;

        if (deadline_ns >= exchange->deadline_ns)
                return;
        exchange->deadline_ns = deadline_ns;
        timer_start(&exchange->group->host->ring->timers, &exchange->deadline, deadline_ns,
                on_deadline);
}

/* After @timeout_ns, or its parent's where that is earlier. */
static void set_deadline(
        struct quoit_outcall *call, uint64_t timeout_ns, const struct quoit_call *parent)
{
        struct ring *ring = call->exchange.group->host->ring;

        /* the clock's time: a turn may have begun a while ago, and an earlier end is what nobody asked for */
        if (timeout_ns < UINT64_MAX)
                outcall_limit_time(call, ring_clock_ns(ring) + timeout_ns);
        if (parent)
                outcall_limit_time(call, parent->exchange.deadline_ns);
}

int outcall_add_metadata(struct quoit_outcall *call, const quoit_metadata *field)
{
        upb_Arena *arena = exchange_arena(&call->exchange);

        return arena ? fields_send(&call->fields, arena, field->name, field->value.data,
                               field->value.size,
                               call->channel->client->limits.metadata_out_bytes_max)
                     : -ENOMEM;
}

/* Of its caller, and of its parent. 0 or a negative errno. */
static int add_metadata(struct quoit_outcall *call, const quoit_call_options *options)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < options->metadata_count; i++)
                r = outcall_add_metadata(call, options->metadata + i);
        return r == 0 && options->parent ? outcall_inherit_trace(call, options->parent) : r;
}

static size_t smaller(size_t one, size_t other)
{
        return one < other ? one : other;
}

/* What its channel's service config says of it narrows what its caller has said. */
static void apply(struct quoit_outcall *call, const struct method_config *config)
{
        struct exchange *exchange = &call->exchange;

        exchange_limit_messages(
                exchange, smaller(exchange->message_bytes_max, config->response_bytes_max));
        call->send_bytes_max = smaller(call->send_bytes_max, config->request_bytes_max);
        call->retry.policy = config->retry;
        call->wait_for_ready |= call->is_patient && config->waits_for_ready;
}

static void init(struct quoit_outcall *call, const quoit_call_options *options,
        const struct method_config *config)
{
        const quoit_client_limits *limits = &call->channel->client->limits;
        quoit_method_kind kind = call->method->kind;
        struct exchange *exchange = &call->exchange;

        exchange->message_bytes_max = options->message_receive_bytes_max > 0
                                              ? options->message_receive_bytes_max
                                              : limits->message_receive_bytes_max;
        call->send_bytes_max = limits->message_send_bytes_max;
        exchange->takes_many = kind == QUOIT_SERVER_STREAMING || kind == QUOIT_BIDI;
        exchange->sends_many = kind == QUOIT_CLIENT_STREAMING || kind == QUOIT_BIDI;
        exchange->lent.compression = options->compression;
        if (config->hedging.attempts_max == 0) /* else its attempts do */
                writer_keep(&exchange->writer, limits->replay_bytes_max, &call->channel->replay);
        call->retry.attempts = 1;
        call->hash_is_known = options->hash_key.size > 0;
        if (call->hash_is_known)
                call->hash = xxhash64(options->hash_key.data, options->hash_key.size);
        call->wait_for_ready = options->wait_for_ready == QUOIT_WAIT_FOR_READY;
        call->is_patient = options->wait_for_ready == QUOIT_WAIT_AS_CONFIGURED;
        apply(call, config);
}

/* Zeroed, but for what any call has. NULL: no memory. */
static struct quoit_outcall *alloc(struct channel *channel, const quoit_method *method)
{
        struct quoit_outcall *call = slab_alloc(&channel->client->calls.slab);

        if (!call)
                return NULL;
        memset(call, 0, sizeof(*call));
        call->channel = channel;
        call->method = method;
        list_init(&call->link);
        list_init(&call->queued);
        list_init(&call->sibling);
        list_init(&call->child.link);
        timer_init(&call->pause);
        exchange_init(&call->exchange, &channel->group);
        channel->group.count++;
        return call;
}

void outcall_free_new(struct quoit_outcall *call)
{
        struct channel *channel = call->channel;

        channel->group.count--;
        quoit_call_credentials_free(call->authorization.credentials);
        exchange_deinit(&call->exchange);
        slab_free(&channel->client->calls.slab, call);
}

void outcall_go(struct quoit_outcall *call)
{
        struct channel *channel = call->channel;

        if (!authorization_allowed(call))
                return;
        if (!channel_has_room(channel)) {
                channel_refuse(call);
        } else if (call->hedging) {
                hedging_begin(call);
        } else {
                if (!call->awaits_config)
                        interception_open_attempt(call, QUOIT_ATTEMPT_FIRST);
                channel_queue(channel, call, false);
        }
}

static void note_use(struct channel *channel)
{
        channel->used_ns = ring_now_ns(channel_ring(channel));
        if (!atomic_load_explicit(&channel->handle->has_calls, memory_order_relaxed))
                atomic_store(&channel->handle->has_calls, true);
}

int outcall_new(struct channel *channel, const quoit_method *method,
        const quoit_call_options *options, const quoit_outcall_handler *handler, void *user,
        struct quoit_outcall **ret_call)
{
        static const quoit_call_options defaults;
        struct client *client = channel->client;
        const struct method_config *config;
        struct quoit_outcall *call;
        int r;

        if (channel->state == QUOIT_CHANNEL_SHUTDOWN)
                return -ESHUTDOWN;
        if (!options)
                options = &defaults;
        if (!compression_is_known(options->compression) ||
                (options->parent && call_host_of(options->parent)->ring != &client->base->ring))
                return -EINVAL;
        call = alloc(channel, method);
        if (!call)
                return -ENOMEM;
        call->handler = handler;
        call->user = user;
        call->authorization.credentials = credentials_ref(options->credentials);
        config = service_config_find(channel_config(channel), method->path);
        init(call, options, config);
        call->awaits_config = !channel_config_is_known(channel);
        r = add_metadata(call, options);
        if (r == 0 && config->hedging.attempts_max > 0)
                r = hedging_init(call, &config->hedging);
        if (r == 0)
                r = interception_init(call);
        if (r < 0) {
                outcall_free_new(call);
                return r;
        }
        set_deadline(call, timeout_of(options, config), options->parent);
        list_append(&channel->calls, &call->link);
        note_use(channel);
        counter_add(&channel->call_counts.started, 1);
        counter_set(&channel->call_counts.last_ns, channel->used_ns);
        if (options->parent)
                outcall_follow(call, options->parent);
        interception_start(call);
        *ret_call = call;
        return 0;
}

/* It has been kept for one way, and goes several. If its start is held, later. */
static void hedge(struct quoit_outcall *call, const struct hedging_policy *policy)
{
        bool is_held = list_is_empty(&call->queued);

        writer_keep(&call->exchange.writer, 0, &call->channel->replay); /* its attempts do */
        if (!is_held)
                channel_unqueue(call->channel, call);
        if (hedging_init(call, policy) < 0)
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else if (!is_held)
                hedging_begin(call);
}

void outcall_configure(struct quoit_outcall *call)
{
        struct channel *channel = call->channel;
        const struct method_config *config =
                service_config_find(channel_config(channel), call->method->path);

        if (!call->awaits_config || outcall_is_over(call))
                return;
        call->awaits_config = false;
        apply(call, config);
        /* its time begins now: gRPC's calls wait for the config before they begin */
        outcall_limit_time(
                call, clock_after_ns(ring_clock_ns(channel_ring(channel)), config->timeout_ns));
        if (config->hedging.attempts_max > 0)
                hedge(call, &config->hedging);
        else if (!list_is_empty(&call->queued))
                interception_open_attempt(call, QUOIT_ATTEMPT_FIRST);
}

int outcall_new_attempt(struct quoit_outcall *call, struct quoit_outcall **ret_attempt)
{
        struct quoit_outcall *attempt = alloc(call->channel, call->method);
        const struct exchange *from = &call->exchange;
        struct exchange *exchange;

        if (!attempt)
                return -ENOMEM;
        attempt->face = call;
        attempt->fields = call->fields;
        attempt->wait_for_ready = call->wait_for_ready;
        attempt->hash = call->hash;
        attempt->hash_is_known = call->hash_is_known;
        exchange = &attempt->exchange;
        attempt->send_bytes_max = call->send_bytes_max;
        exchange_limit_messages(exchange, from->message_bytes_max);
        exchange->deadline_ns = from->deadline_ns; /* it is told; the call keeps it */
        exchange->takes_many = from->takes_many;
        exchange->sends_many = from->sends_many;
        exchange->lent.compression = from->lent.compression;
        writer_keep(&exchange->writer, SIZE_MAX, &call->hedging->kept);
        *ret_attempt = attempt;
        return 0;
}

int outcall_new_check(struct subchannel *subchannel, const quoit_method *method,
        const quoit_outcall_handler *handler, void *user, struct quoit_outcall **ret_call)
{
        static const quoit_call_options options;
        struct channel *channel = subchannel->channel;
        struct quoit_outcall *call = alloc(channel, method);

        if (!call)
                return -ENOMEM;
        call->handler = handler;
        call->user = user;
        init(call, &options, service_config_find(NULL, method->path));
        call->is_check = true;
        list_append(&channel->calls, &call->link);
        channel_queue_at(subchannel, call);
        *ret_call = call;
        return 0;
}

void outcall_move(struct quoit_outcall *call, struct call_group *to)
{
        struct call_group *from = call->exchange.group;
        bool was_connected = !is_unconnected(call);

        list_remove(&call->exchange.ready);
        exchange_move(&call->exchange, to);
        if (was_connected) /* a connection may end with the last of its calls */
                from->host->on_freed(from->host->user, from);
}

int outcall_begin(struct quoit_outcall *call, struct subchannel *subchannel,
        struct client_connection *connection)
{
        struct session *session = &connection->connection.session;
        int r;

        if (connection->connection.state != CONNECTION_OPEN)
                return -ESHUTDOWN;
        r = outcall_request(call, session);
        if (r == -EAGAIN || r == -ESHUTDOWN)
                return r;
        if (r < 0) {
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return 0;
        }
        channel_unqueue(call->channel, call);
        authorization_drop(call);
        outcall_move(call, &connection->connection.group);
        outcall_set_state(call, OUTCALL_OPEN);
        balancer_on_begun(call, subchannel);
        counter_add(&connection->connection.group.counts.started, 1);
        counter_add(&connection->connection.group.counts.messages_sent,
                call->exchange.lent.messages_sent);
        counter_set(&connection->connection.group.counts.last_started_ns,
                ring_now_ns(&connection->client->base->ring));
        if (call->wants_writable ||
                call->attempt.is_new) /* what was due in the group that it has left */
                outcall_wake(call);
        exchange_ask_to_send(&call->exchange);
        return 0;
}
