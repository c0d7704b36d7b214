/* SPDX-License-Identifier: MIT */
#include "client/health_check.h"

#include <stdio.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/health_messages.h"
#include "client/json.h"
#include "client/outcall.h"
#include "client/pick_first.h"
#include "client/service_config.h"
#include "core/clock.h"

#define GOOD_NS NS_PER_S /* a Watch that has answered was of use if it went on for so long */
#define BRIEF_MAX 10 /* Watches in a row that were not, before there is a pause */

/* NULL: none. */
static const struct json *service_named(const struct service_config *config)
{
        return config && config->health_check ? json_member(config->health_check, "serviceName")
                                              : NULL;
}

/* The name that is to be asked for. NULL: none. */
static const struct json *service_of(const struct channel *channel)
{
        return channel->balancing.policy == &pick_first ? NULL
                                                        : service_named(channel->service_config);
}

bool health_check_is_same(const struct service_config *one, const struct service_config *other)
{
        const struct json *name = service_named(one), *other_name = service_named(other);

        if (!name || !other_name)
                return name == other_name;
        return upb_StringView_IsEqual(name->text, other_name->text);
}

static void set_health(struct subchannel *subchannel, enum health health)
{
        if (subchannel->check.health == health)
                return;
        subchannel->check.health = health;
        if (health == HEALTH_SERVING || health == HEALTH_UNWATCHED)
                subchannel->why[0] = '\0';
        balancer_on_state(subchannel);
}

/* ---- answers ---- */

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        int32_t status = health_response_status(message);
        struct subchannel *subchannel = user;

        (void)call;
        subchannel->check.has_answered = true;
        if (status == HEALTH_STATUS_SERVING) {
                set_health(subchannel, HEALTH_SERVING);
                return;
        }
        snprintf(subchannel->why, sizeof(subchannel->why),
                "the server says by its health check that it does not serve (status %d)", status);
        set_health(subchannel, HEALTH_NOT_SERVING);
}

static void watch(struct subchannel *subchannel);

static void on_retry(struct timer *timer)
{
        struct subchannel *subchannel = CONTAINER_OF(timer, struct subchannel, check.retry);

        watch(subchannel);
}

static void begin_after(struct subchannel *subchannel, uint64_t pause_ns)
{
        struct ring *ring = channel_ring(subchannel->channel);

        timer_start(
                &ring->timers, &subchannel->check.retry, ring_now_ns(ring) + pause_ns, on_retry);
}

/*
 * At once where it has answered (A17), else after a pause. But not if many in a row soon ended: a server whose answers are a status and
 * an end would be asked without a pause, for ever.
 */
static bool goes_on_at_once(struct subchannel *subchannel)
{
        struct health_check *check = &subchannel->check;

        if (!check->has_answered)
                return false;
        if (ring_now_ns(channel_ring(subchannel->channel)) - check->began_ns >= GOOD_NS)
                check->brief_count = 0;
        else if (check->brief_count == BRIEF_MAX)
                return false;
        else
                check->brief_count++;
        backoff_reset(&check->backoff);
        return true;
}

static void try_again(struct subchannel *subchannel)
{
        const quoit_client_limits *limits = &subchannel->channel->client->limits;
        uint64_t jitter = ring_jitter(channel_ring(subchannel->channel));

        begin_after(subchannel,
                goes_on_at_once(subchannel)
                        ? 0
                        : backoff_next_ns(&subchannel->check.backoff, limits->backoff_initial_ms,
                                  limits->backoff_max_ms, jitter));
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct subchannel *subchannel = user;
        quoit_error error;

        if (!subchannel) /* its connection is gone */
                return;
        subchannel->check.watch = NULL;
        if (status == QUOIT_UNIMPLEMENTED) {
                set_health(subchannel, HEALTH_UNWATCHED);
                return;
        }
        quoit_outcall_get_error(call, &error);
        snprintf(subchannel->why, sizeof(subchannel->why), "its health check ended with %.*s",
                (int)sizeof(subchannel->why) - 40, error.text);
        try_again(subchannel);
        set_health(subchannel, HEALTH_NOT_SERVING);
}

/* ---- a watch ---- */

static int send_request(struct quoit_outcall *call, upb_StringView service)
{
        upb_Arena *arena = exchange_arena(&call->exchange);

        return outcall_send(call, arena ? health_request_new(arena, service) : NULL);
}

static void watch(struct subchannel *subchannel)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        struct health_check *check = &subchannel->check;
        int r = outcall_new_check(subchannel, &health_watch, &handler, &check->watch);

        check->has_answered = false;
        check->began_ns = ring_now_ns(channel_ring(subchannel->channel));
        if (r < 0) {
                try_again(subchannel);
                set_health(subchannel, HEALTH_NOT_SERVING);
                return;
        }
        set_health(subchannel, HEALTH_ASKED);
        if (send_request(check->watch, service_of(subchannel->channel)->text) < 0)
                outcall_fail(check->watch, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- rest ---- */

static void plan_rest(struct channel *channel);

/* A connection with a Watch is never idle, so the channel has to look by itself whether anybody calls. */
static void on_rest(struct timer *timer)
{
        struct channel *channel = CONTAINER_OF(timer, struct channel, rest);

        if (channel->state != QUOIT_CHANNEL_IDLE && !balancer_rests(channel))
                plan_rest(channel);
}

static void plan_rest(struct channel *channel)
{
        struct ring *ring = channel_ring(channel);
        uint32_t idle_ms = channel->client->limits.idle_ms;
        uint64_t due_ns = clock_after_limit_ns(
                channel_has_calls(channel) ? ring_now_ns(ring) : channel->used_ns, idle_ms);

        if (due_ns != UINT64_MAX)
                timer_start(&ring->timers, &channel->rest, due_ns, on_rest);
}

void health_check_begin(struct subchannel *subchannel)
{
        if (!service_of(subchannel->channel))
                return;
        subchannel->check.health = HEALTH_ASKED;
        begin_after(subchannel, 0);
        if (!timer_is_running(&subchannel->channel->rest))
                plan_rest(subchannel->channel);
}

void health_check_end(struct subchannel *subchannel)
{
        struct health_check *check = &subchannel->check;
        struct quoit_outcall *call = check->watch;

        timer_cancel(&channel_ring(subchannel->channel)->timers, &check->retry);
        check->watch = NULL;
        check->health = HEALTH_UNWATCHED;
        if (!call)
                return;
        call->user = NULL;
        outcall_fail(call, QUOIT_CANCELLED, "its connection is gone");
}

void health_check_restart(struct subchannel *subchannel)
{
        if (subchannel->state != SUBCHANNEL_READY)
                return;
        health_check_end(subchannel);
        health_check_begin(subchannel);
        balancer_on_state(subchannel);
}

void health_check_rest(struct channel *channel)
{
        timer_cancel(&channel_ring(channel)->timers, &channel->rest);
}
