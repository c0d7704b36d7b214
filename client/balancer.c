/* SPDX-License-Identifier: MIT */
#include "client/balancer.h"

#include <stdlib.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/outcall.h"
#include "client/outliers.h"

struct balancer *balancer_new(const struct balancer_policy *policy, struct tier *tier)
{
        struct balancer *balancer = calloc(1, policy->bytes);

        if (!balancer)
                return NULL;
        balancer->policy = policy;
        balancer->channel = tier->channel;
        balancer->tier = tier;
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
        feed_rest(channel);
        tiers_rest(channel);
        addresses_rest(channel);
}

/* Nobody has called for so long that failing addresses are left alone. */
static bool is_forsaken(const struct channel *channel)
{
        return ring_now_ns(channel_ring(channel)) >= channel_rest_due_ns(channel);
}

bool balancer_rests(struct channel *channel)
{
        if (!is_forsaken(channel))
                return false;
        balancer_stop(channel);
        if (channel->state !=
                QUOIT_CHANNEL_IDLE) /* a tier that has failed may not be the one that has the calls */
                channel_set_state(channel, QUOIT_CHANNEL_IDLE);
        return true;
}

/* ---- from the channel ---- */

void balancer_wake(struct channel *channel)
{
        bool was_asked = channel->connect_asked;

        channel->connect_asked = false;
        if (!addresses_wait(channel) && (was_asked || !channel->balancing.policy->is_lazy))
                tier_connect(channel->tier);
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
        struct balancer *balancer = channel->tier->balancer;

        if (channel->tier->count == 0)
                return channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE ? PICK_FAIL : PICK_WAIT;
        return balancer->policy->pick(balancer, call, ret_subchannel);
}

/* ---- calls ---- */

void balancer_on_begun(struct quoit_outcall *call, struct subchannel *subchannel)
{
        if (call->is_check)
                return;
        call->subchannel = subchannel;
        call->was_unprocessed = false;
        subchannel->calls++;
        counter_add(&subchannel->record.counts.started, 1);
        counter_set(
                &subchannel->record.counts.last_ns, ring_now_ns(channel_ring(subchannel->channel)));
        outliers_on_call(subchannel->channel);
}

void balancer_on_over(struct quoit_outcall *call, quoit_status status)
{
        struct subchannel *subchannel = call->subchannel;
        struct balancer *balancer;

        if (!subchannel)
                return;
        balancer = subchannel->tier->balancer;
        call->subchannel = NULL;
        subchannel->calls--;
        counter_add(status == QUOIT_OK ? &subchannel->record.counts.succeeded
                                       : &subchannel->record.counts.failed,
                1);
        outliers_on_over(subchannel, call, status);
        if (balancer->policy->on_done)
                balancer->policy->on_done(balancer, subchannel, call, status);
        addresses_release(subchannel);
}

/* ---- states ---- */

static struct state_counts count(const struct tier *tier)
{
        struct state_counts counts = { 0 };

        for (unsigned i = 0; i < tier->count; i++) {
                switch (subchannel_state_seen(tier->subchannels[i])) {
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

void balancer_report(
        struct tier *tier, quoit_channel_state (*aggregate)(const struct state_counts *counts))
{
        const struct state_counts counts = count(tier);
        quoit_channel_state state = aggregate(&counts);

        if (state != tier->state)
                tier_set_state(tier, state);
        channel_stir(tier->channel);
}

/* ---- from below ---- */

void balancer_on_state(struct subchannel *subchannel)
{
        struct balancer *balancer = subchannel->tier->balancer;

        balancer->policy->on_state(balancer, subchannel);
}
