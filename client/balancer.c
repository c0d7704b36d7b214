/* SPDX-License-Identifier: MIT */
#include "client/balancer.h"

#include <stdlib.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/outcall.h"
#include "client/outliers.h"
#include "core/clock.h"

struct balancer *balancer_new(const struct balancer_policy *policy, struct channel *channel)
{
        struct balancer *balancer = calloc(1, policy->bytes);

        if (!balancer)
                return NULL;
        balancer->policy = policy;
        balancer->channel = channel;
        if (policy->init)
                policy->init(balancer);
        return balancer;
}

void balancer_free(struct balancer *balancer)
{
        if (balancer && balancer->policy->deinit)
                balancer->policy->deinit(balancer);
        free(balancer);
}

/* ---- rest ---- */

void balancer_stop(struct channel *channel)
{
        outliers_rest(channel);
        health_check_rest(channel);
        channel->balancer->policy->rest(channel->balancer);
        addresses_rest(channel);
}

/* Nobody has called for so long that failing addresses are left alone. */
static bool is_forsaken(const struct channel *channel)
{
        uint32_t idle_ms = channel->client->limits.idle_ms;

        return !channel_has_calls(channel) &&
               ring_now_ns(channel_ring(channel)) >=
                       clock_after_limit_ns(channel->used_ns, idle_ms);
}

bool balancer_rests(struct channel *channel)
{
        if (!is_forsaken(channel))
                return false;
        balancer_stop(channel);
        channel_set_state(channel, QUOIT_CHANNEL_IDLE);
        return true;
}

/* ---- from the channel ---- */

void balancer_wake(struct channel *channel)
{
        struct balancer *balancer = channel->balancer;
        bool was_asked = channel->connect_asked;

        channel->connect_asked = false;
        if (!addresses_wait(channel) && (was_asked || !balancer->policy->is_lazy))
                balancer->policy->connect(balancer);
}

void balancer_hurry(struct channel *channel)
{
        addresses_hurry(channel);
        for (unsigned i = 0; i < channel->count; i++) {
                struct subchannel *subchannel = channel->subchannels[i];

                backoff_reset(&subchannel->backoff);
                if (subchannel->state != SUBCHANNEL_TRANSIENT_FAILURE)
                        continue;
                subchannel_abandon(subchannel);
                balancer_on_state(subchannel);
        }
}

void balancer_end(struct channel *channel)
{
        balancer_stop(channel);
        addresses_end(channel);
}

enum balancer_pick balancer_pick(
        struct channel *channel, struct quoit_outcall *call, struct subchannel **ret_subchannel)
{
        if (channel->count == 0)
                return channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE ? PICK_FAIL : PICK_WAIT;
        return channel->balancer->policy->pick(channel->balancer, call, ret_subchannel);
}

/* ---- calls ---- */

void balancer_on_begun(struct quoit_outcall *call, struct subchannel *subchannel)
{
        if (call->is_check)
                return;
        call->subchannel = subchannel;
        call->was_unprocessed = false;
        subchannel->calls++;
        outliers_on_call(subchannel->channel);
}

void balancer_on_over(struct quoit_outcall *call, quoit_status status)
{
        struct subchannel *subchannel = call->subchannel;
        struct balancer *balancer = call->channel->balancer;

        if (!subchannel)
                return;
        call->subchannel = NULL;
        subchannel->calls--;
        outliers_on_over(subchannel, call, status);
        if (balancer->policy->on_done)
                balancer->policy->on_done(balancer, subchannel, call, status);
        addresses_release(subchannel);
}

/* ---- states ---- */

static struct state_counts count(const struct channel *channel)
{
        struct state_counts counts = { 0 };

        for (unsigned i = 0; i < channel->count; i++) {
                switch (subchannel_state_seen(channel->subchannels[i])) {
                case SUBCHANNEL_READY:
                        counts.ready++;
                        break;
                case SUBCHANNEL_CONNECTING:
                        counts.connecting++;
                        break;
                case SUBCHANNEL_IDLE:
                        counts.idle++;
                        break;
                case SUBCHANNEL_TRANSIENT_FAILURE:
                        counts.failed++;
                        break;
                }
        }
        return counts;
}

void balancer_report(struct channel *channel,
        quoit_channel_state (*aggregate)(const struct state_counts *counts))
{
        const struct state_counts counts = count(channel);
        quoit_channel_state state = aggregate(&counts);

        if (state != channel->state)
                channel_set_state(channel, state);
        channel_stir(channel);
}

/* ---- from below ---- */

void balancer_on_state(struct subchannel *subchannel)
{
        struct balancer *balancer = subchannel->channel->balancer;

        balancer->policy->on_state(balancer, subchannel);
}

void balancer_on_addresses(struct channel *channel)
{
        if (channel->count > 0)
                channel->balancer->policy->on_addresses(channel->balancer);
        else if (channel->state == QUOIT_CHANNEL_CONNECTING)
                channel_set_state(channel, QUOIT_CHANNEL_TRANSIENT_FAILURE);
}
