/* SPDX-License-Identifier: MIT */
#include "client/outliers.h"

#include "client/balancer.h"
#include "client/channel.h"
#include "client/outcall.h"

static uint64_t draw(void *user)
{
        return ring_jitter(user);
}

static void on_look(struct timer *timer);

static void plan(struct channel *channel)
{
        struct ring *ring = channel_ring(channel);

        timer_start(&ring->timers, &channel->outlier_look,
                ring_now_ns(ring) + channel->balancing.outliers.interval_ns, on_look);
}

/* Whether a look would find anything the next time, also without further calls. */
static bool is_pending(const struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels[i];

                if (subchannel->calls > 0 || subchannel->outlier.multiplier > 0 ||
                        outlier_is_ejected(&subchannel->outlier))
                        return true;
        }
        return false;
}

/* One's addresses are compared with each other alone. */
static void look(struct channel *channel, const struct tier *tier)
{
        struct outlier *outliers[QUOIT_CHANNEL_ADDRESSES_MAX] = { 0 };
        bool were_ejected[QUOIT_CHANNEL_ADDRESSES_MAX];
        unsigned count = tier->count;

        for (unsigned i = 0; i < count; i++) {
                outliers[i] = &tier->subchannels[i]->outlier;
                were_ejected[i] = outlier_is_ejected(outliers[i]);
        }
        outlier_look(&channel->balancing.outliers, outliers, count,
                ring_now_ns(channel_ring(channel)), draw, channel_ring(channel));
        for (unsigned i = 0; i < count; i++) {
                struct subchannel *subchannel =
                        CONTAINER_OF(outliers[i], struct subchannel, outlier);

                if (outlier_is_ejected(outliers[i]) != were_ejected[i] &&
                        subchannel->state == SUBCHANNEL_READY)
                        balancer_on_state(subchannel);
        }
}

static void on_look(struct timer *timer)
{
        struct channel *channel = CONTAINER_OF(timer, struct channel, outlier_look);

        for (unsigned i = 0; i < channel->tier_count; i++)
                look(channel, channel->tiers + i);
        if (is_pending(channel))
                plan(channel);
}

void outliers_on_call(struct channel *channel)
{
        if (channel->balancing.ejects && !timer_is_running(&channel->outlier_look))
                plan(channel);
}

void outliers_on_over(
        struct subchannel *subchannel, const struct quoit_outcall *call, quoit_status status)
{
        bool is_callers = status == QUOIT_CANCELLED && call->has_failed;

        if (call->was_unprocessed || is_callers) /* which says nothing about the server */
                return;
        if (status == QUOIT_OK)
                subchannel->outlier.succeeded++;
        else
                subchannel->outlier.failed++;
}

void outliers_rest(struct channel *channel)
{
        timer_cancel(&channel_ring(channel)->timers, &channel->outlier_look);
        for (unsigned i = 0; i < channel->count; i++)
                channel->subchannels[i]->outlier = (struct outlier){ 0 };
}
