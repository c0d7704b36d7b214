/* SPDX-License-Identifier: MIT */

/* Calls that wait for a connection, or for room on one. */

#include "client/channel.h"

#include <errno.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/client.h"
#include "client/client_connection.h"
#include "client/outcall.h"
#include "client/scaling.h"
#include "core/clock.h"

/* It waits in front of @next, a call's place or a list's end. */
static void queue_before(struct list *next, struct quoit_outcall *call)
{
        list_append(next, &call->queued);
        counter_add(&call->channel->queued, 1);
        channel_stir(call->channel);
}

void channel_queue(struct channel *channel, struct quoit_outcall *call, bool in_front)
{
        queue_before(in_front ? channel->queue.next : &channel->queue, call);
}

void channel_queue_at(struct subchannel *subchannel, struct quoit_outcall *call)
{
        queue_before(&subchannel->waiting, call);
}

void channel_take_back(struct channel *channel, struct list *waiting)
{
        if (list_is_empty(waiting))
                return;
        list_splice(channel->queue.next, waiting);
        channel_stir(channel);
}

bool channel_has_room(const struct channel *channel)
{
        return counter_read(&channel->queued) + channel->authorizing <
               channel->client->limits.calls_queued_max;
}

void channel_refuse(struct quoit_outcall *call)
{
        counter_add(&call->channel->refused, 1);
        outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                "too many calls wait on the channel (calls_queued_max)");
}

bool channel_has_calls(const struct channel *channel)
{
        for (struct list *link = channel->calls.next; link != &channel->calls; link = link->next) {
                if (!CONTAINER_OF(link, struct quoit_outcall, link)->is_check)
                        return true;
        }
        return false;
}

uint64_t channel_rest_due_ns(const struct channel *channel)
{
        uint64_t used_ns =
                channel_has_calls(channel) ? ring_now_ns(channel_ring(channel)) : channel->used_ns;

        return clock_after_limit_ns(used_ns, channel->client->limits.idle_ms);
}

void channel_unqueue(struct channel *channel, struct quoit_outcall *call)
{
        list_remove(&call->queued);
        counter_set(&channel->queued, counter_read(&channel->queued) - 1);
}

/* It does not wait for a READY channel, and hears why there is none. @text: the same for all of a turn; "": not known yet. */
static void fail_at_once(struct quoit_outcall *call, char *text, size_t size)
{
        if (call->wait_for_ready)
                return;
        if (!text[0])
                addresses_describe(call->channel, text, size);
        outcall_fail_attempt(call, QUOIT_UNAVAILABLE, text);
}

/* Whether it does not wait for room. */
static bool needs_room(const struct quoit_outcall *call)
{
        return call->channel->fails_when_full && !call->is_check;
}

/* Connections are full: it ends, or begins again later. */
static void fail_full(struct quoit_outcall *call)
{
        counter_add(&call->channel->refused, 1);
        outcall_fail_attempt(call, QUOIT_RESOURCE_EXHAUSTED,
                "all connections have as many calls as they can (fails_when_full)");
}

/* Where there is no room it waits, there and nowhere else; not if the oldest connection is about to be another one. */
static void begin(struct quoit_outcall *call, struct subchannel *subchannel)
{
        struct client_connection *connection = scaling_room(subchannel);

        if (connection) {
                if (outcall_begin(call, subchannel, connection) == -ESHUTDOWN) {
                        connection->is_leaving = true;
                        client_connection_note(connection);
                }
        } else if (needs_room(call) && scaling_is_full(subchannel)) {
                fail_full(call);
        } else if (!subchannel_oldest(subchannel)->is_leaving) {
                list_remove(&call->queued);
                list_append(&subchannel->waiting, &call->queued);
        }
}

static struct quoit_outcall *first_waiting(const struct subchannel *subchannel)
{
        return list_is_empty(&subchannel->waiting)
                       ? NULL
                       : CONTAINER_OF(subchannel->waiting.next, struct quoit_outcall, queued);
}

/* Those that wait at a subchannel, as far as there is room. */
static void run_waiting(struct subchannel *subchannel)
{
        struct quoit_outcall *call;

        while ((call = first_waiting(subchannel)) && subchannel_has_room(subchannel))
                begin(call, subchannel);
        while ((call = first_waiting(subchannel)) && needs_room(call) &&
                scaling_is_full(subchannel))
                fail_full(call);
}

/* Those that have somewhere to go. What this calls may take any call out of the queue. */
static void run_queue(struct channel *channel)
{
        char text[QUOIT_ERROR_TEXT_BYTES - 32] = "";
        struct list rest, *link;
        bool goes_on = true;

        list_init(&rest);
        list_splice(&rest, &channel->queue);
        while (goes_on && (link = list_pop(&rest))) {
                struct quoit_outcall *call = CONTAINER_OF(link, struct quoit_outcall, queued);
                struct subchannel *subchannel;
                enum balancer_pick pick;

                list_append(&channel->queue, link);
                if (channel->state == QUOIT_CHANNEL_READY && !authorization_complete(call))
                        continue;
                pick = balancer_pick(channel, call, &subchannel);
                if (outcall_is_over(call)) /* a user's policy may end calls */
                        continue;
                switch (pick) {
                case PICK_WAIT:
                        if (needs_room(call) && scaling_channel_is_full(channel))
                                fail_full(call);
                        else
                                goes_on = channel->balancing.policy->is_by_call;
                        break;
                case PICK_FAIL:
                        fail_at_once(call, text, sizeof(text));
                        break;
                case PICK_SUBCHANNEL:
                        if (authorization_complete(call))
                                begin(call, subchannel);
                        break;
                }
        }
        list_splice(&channel->queue, &rest);
}

void channel_run_queue(struct channel *channel)
{
        for (unsigned i = 0; channel->queued > 0 && i < channel->count; i++)
                run_waiting(channel->subchannels[i]);
        run_queue(channel);
}
