/* SPDX-License-Identifier: MIT */
#include "client/feed.h"

#include "client/balancer.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/outcall.h"
#include "core/clock.h"

#define GOOD_NS NS_PER_S /* a call that has answered was of use if it went on for so long */
#define BRIEF_MAX 10 /* calls in a row that were not, before there is a pause */

static struct ring *ring_of(const struct feed *feed)
{
        return channel_ring(feed->subchannel->channel);
}

/* ---- again ---- */

static void begin_call(struct feed *feed);

static void on_retry(struct timer *timer)
{
        begin_call(CONTAINER_OF(timer, struct feed, retry));
}

static void begin_after(struct feed *feed, uint64_t pause_ns)
{
        timer_start(&ring_of(feed)->timers, &feed->retry, ring_now_ns(ring_of(feed)) + pause_ns,
                on_retry);
}

/*
 * At once where it has answered, else after a pause. But not if many in a row soon ended: a server whose answers are a status and an end
 * would be asked without a pause, for ever.
 */
static bool goes_on_at_once(struct feed *feed)
{
        if (!feed->has_answered)
                return false;
        if (ring_now_ns(ring_of(feed)) - feed->began_ns >= GOOD_NS)
                feed->brief_count = 0;
        else if (feed->brief_count == BRIEF_MAX)
                return false;
        else
                feed->brief_count++;
        backoff_reset(&feed->backoff);
        return true;
}

static void try_again(struct feed *feed, const quoit_error *error)
{
        const struct client *client = feed->subchannel->channel->client;

        begin_after(feed, goes_on_at_once(feed) ? 0 : client_pause_ns(client, &feed->backoff));
        if (feed->kind->on_ended)
                feed->kind->on_ended(feed, error);
}

/* ---- a call ---- */

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        struct feed *feed = user;

        (void)call;
        feed->has_answered = true;
        feed->kind->on_message(feed, message);
}

static int on_bytes(struct quoit_outcall *call, const uint8_t *data, size_t size)
{
        struct feed *feed = call->user;

        if (!feed)
                return 0;
        feed->has_answered = true;
        feed->kind->on_bytes(feed, data, size);
        return 0;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct feed *feed = user;
        quoit_error error;

        if (!feed) /* it has ended */
                return;
        feed->call = NULL;
        if (status == QUOIT_UNIMPLEMENTED) {
                if (feed->kind->on_unknown)
                        feed->kind->on_unknown(feed);
                return;
        }
        quoit_outcall_get_error(call, &error);
        try_again(feed, &error);
}

static void begin_call(struct feed *feed)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        upb_Arena *arena;
        int r = outcall_new_check(
                feed->subchannel, feed->kind->method, &handler, feed, &feed->call);

        feed->has_answered = false;
        feed->began_ns = ring_now_ns(ring_of(feed));
        if (r < 0) {
                try_again(feed, NULL);
                return;
        }
        if (feed->kind->on_bytes)
                feed->call->on_bytes = on_bytes;
        if (feed->kind->on_begun)
                feed->kind->on_begun(feed);
        arena = exchange_arena(&feed->call->exchange);
        if (outcall_send(feed->call, arena ? feed->kind->make_request(feed, arena) : NULL) < 0)
                outcall_fail(feed->call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- rest ---- */

static void plan_rest(struct channel *channel);

/* A connection with such a call is never idle, so the channel has to look by itself whether anybody calls. */
static void on_rest(struct timer *timer)
{
        struct channel *channel = CONTAINER_OF(timer, struct channel, rest);

        if (channel->state != QUOIT_CHANNEL_IDLE && !balancer_rests(channel))
                plan_rest(channel);
}

static void plan_rest(struct channel *channel)
{
        struct ring *ring = channel_ring(channel);
        uint64_t due_ns = channel_rest_due_ns(channel);

        if (due_ns != UINT64_MAX)
                timer_start(&ring->timers, &channel->rest, due_ns, on_rest);
}

void feed_rest(struct channel *channel)
{
        timer_cancel(&channel_ring(channel)->timers, &channel->rest);
}

/* ---- life ---- */

void feed_begin(struct feed *feed, const struct feed_kind *kind, struct subchannel *subchannel)
{
        struct channel *channel = subchannel->channel;

        feed->kind = kind;
        feed->subchannel = subchannel;
        begin_after(feed, 0);
        if (!timer_is_running(&channel->rest))
                plan_rest(channel);
}

void feed_end(struct feed *feed)
{
        struct quoit_outcall *call = feed->call;

        if (!feed->subchannel)
                return;
        timer_cancel(&ring_of(feed)->timers, &feed->retry);
        feed->call = NULL;
        if (!call)
                return;
        call->user = NULL;
        outcall_fail(call, QUOIT_CANCELLED, "its connection is gone");
}
