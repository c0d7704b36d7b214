/* SPDX-License-Identifier: MIT */
#include "client/tier.h"

#include <assert.h>
#include <errno.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/client.h"
#include "core/clock.h"

static struct timers *timers_of(const struct tier *tier)
{
        return &channel_ring(tier->channel)->timers;
}

static void start(
        struct tier *tier, struct timer *timer, uint64_t ms, void (*on_time)(struct timer *timer))
{
        timer_start(timers_of(tier), timer,
                ring_now_ns(channel_ring(tier->channel)) + ms * NS_PER_MS, on_time);
}

/* ---- rest ---- */

static void rest(struct tier *tier)
{
        timer_cancel(timers_of(tier), &tier->failover);
        timer_cancel(timers_of(tier), &tier->kept);
        if (tier->balancer)
                tier->balancer->policy->rest(tier->balancer);
        tier->state = QUOIT_CHANNEL_IDLE;
        tier->is_begun = false;
        tier->was_fine = true;
}

void tiers_rest(struct channel *channel)
{
        for (unsigned i = 0; i < channel->tier_count; i++)
                rest(channel->tiers + i);
        channel->tier = channel->tiers;
}

/* Nobody needs it: its connections take no more calls. */
static void drop(struct tier *tier)
{
        rest(tier);
        for (unsigned i = 0; i < tier->count; i++)
                subchannel_rest(tier->subchannels[i]);
}

static void on_kept(struct timer *timer)
{
        drop(CONTAINER_OF(timer, struct tier, kept));
}

/* ---- the choice ---- */

/* It has the calls, so it needs none behind it. */
static void keep_others(struct tier *chosen)
{
        struct tier *end = chosen->channel->tiers + chosen->channel->tier_count;

        for (struct tier *tier = chosen->channel->tiers; tier < end; tier++) {
                if (tier <= chosen)
                        timer_cancel(timers_of(tier), &tier->kept);
                else if (tier->is_begun && !timer_is_running(&tier->kept))
                        start(tier, &tier->kept, TIER_KEPT_MS, on_kept);
        }
}

/* What can be waited for: one that nobody has tried yet is tried, and has failed if it has no address. */
static bool is_good(struct tier *tier)
{
        bool is_first = tier == tier->channel->tiers;

        if (!is_first && !tier->is_begun)
                tier_connect(tier);
        timer_cancel(timers_of(tier), &tier->kept);
        switch (tier->state) {
        case QUOIT_CHANNEL_READY:
                return true;
        case QUOIT_CHANNEL_IDLE:
                return tier->count > 0;
        default:
                return timer_is_running(&tier->failover);
        }
}

/* Without a good one, one that connects; else the last. */
static struct tier *choose(struct channel *channel)
{
        struct tier *end = channel->tiers + channel->tier_count, *tier;

        for (tier = channel->tiers; tier < end; tier++) {
                if (is_good(tier))
                        return tier;
        }
        for (tier = channel->tiers; tier < end; tier++) {
                if (tier->state == QUOIT_CHANNEL_CONNECTING)
                        return tier;
        }
        return end - 1;
}

/* The channel's state is the chosen one's. */
static void follow(struct channel *channel)
{
        quoit_channel_state state = channel->tier->state;

        if (state == channel->state)
                return;
        if (channel->state == QUOIT_CHANNEL_IDLE && state != QUOIT_CHANNEL_CONNECTING)
                channel_set_state(channel, QUOIT_CHANNEL_CONNECTING);
        channel_set_state(channel, state);
}

/* One that begins meanwhile may fail at once, and asks for another choice. */
static void choose_anew(struct channel *channel)
{
        channel->chooses_again = true;
        if (channel->is_choosing || channel->state == QUOIT_CHANNEL_SHUTDOWN)
                return;
        channel->is_choosing = true;
        while (channel->chooses_again) {
                channel->chooses_again = false;
                channel->tier = choose(channel);
        }
        channel->is_choosing = false;
        keep_others(channel->tier);
        follow(channel);
        channel_stir(channel);
}

static void on_failover(struct timer *timer)
{
        choose_anew(CONTAINER_OF(timer, struct tier, failover)->channel);
}

/* ---- states ---- */

static void note_state(struct tier *tier, quoit_channel_state state)
{
        if (state == QUOIT_CHANNEL_CONNECTING) {
                if (tier->was_fine && !timer_is_running(&tier->failover))
                        start(tier, &tier->failover, TIER_FAILOVER_MS, on_failover);
                tier->is_begun = true;
                return;
        }
        tier->was_fine = state != QUOIT_CHANNEL_TRANSIENT_FAILURE;
        timer_cancel(timers_of(tier), &tier->failover);
}

void tier_set_state(struct tier *tier, quoit_channel_state state)
{
        static const unsigned allowed[] = {
                [QUOIT_CHANNEL_IDLE] = 1u << QUOIT_CHANNEL_CONNECTING,
                [QUOIT_CHANNEL_CONNECTING] = 1u << QUOIT_CHANNEL_READY |
                                             1u << QUOIT_CHANNEL_TRANSIENT_FAILURE |
                                             1u << QUOIT_CHANNEL_IDLE,
                [QUOIT_CHANNEL_READY] = 1u << QUOIT_CHANNEL_CONNECTING |
                                        1u << QUOIT_CHANNEL_TRANSIENT_FAILURE |
                                        1u << QUOIT_CHANNEL_IDLE,
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] = 1u << QUOIT_CHANNEL_READY |
                                                    1u << QUOIT_CHANNEL_CONNECTING |
                                                    1u << QUOIT_CHANNEL_IDLE,
        };

        assert(allowed[tier->state] & 1u << state);
        tier->state = state;
        note_state(tier, state);
        choose_anew(tier->channel);
}

void tier_connect(struct tier *tier)
{
        if (tier->count > 0) {
                tier->balancer->policy->connect(tier->balancer);
                return;
        }
        tier_set_state(tier, QUOIT_CHANNEL_CONNECTING);
        tier_set_state(tier, QUOIT_CHANNEL_TRANSIENT_FAILURE);
}

/* ---- addresses ---- */

void tiers_divide(struct channel *channel, unsigned count)
{
        unsigned at = 0;

        for (unsigned i = 0; i < CHANNEL_TIERS_MAX; i++) {
                struct tier *tier = channel->tiers + i;

                tier->subchannels = channel->subchannels + at;
                tier->count = 0;
                while (at < channel->count && channel->subchannels[at]->tier == tier) {
                        tier->count++;
                        at++;
                }
                if (i >= count && i < channel->tier_count)
                        rest(tier);
        }
        assert(at == channel->count);
        channel->tier_count = count;
        if (channel->tier >= channel->tiers + count)
                channel->tier = channel->tiers;
}

static void on_addresses(struct tier *tier)
{
        if (tier->count > 0) {
                tier->balancer->policy->on_addresses(tier->balancer);
        } else if (tier->state != QUOIT_CHANNEL_IDLE &&
                   tier->state != QUOIT_CHANNEL_TRANSIENT_FAILURE) {
                tier->balancer->policy->rest(tier->balancer);
                tier_set_state(tier, QUOIT_CHANNEL_TRANSIENT_FAILURE);
        }
}

void tiers_on_addresses(struct channel *channel)
{
        for (unsigned i = 0; i < channel->tier_count; i++)
                on_addresses(channel->tiers + i);
        if (channel->state != QUOIT_CHANNEL_IDLE)
                choose_anew(channel);
}

/* ---- life ---- */

void tiers_init(struct channel *channel)
{
        for (unsigned i = 0; i < CHANNEL_TIERS_MAX; i++) {
                struct tier *tier = channel->tiers + i;

                tier->channel = channel;
                tier->was_fine = true;
                timer_init(&tier->failover);
                timer_init(&tier->kept);
        }
        channel->tier_count = 1;
        channel->tier = channel->tiers;
}

void tiers_deinit(struct channel *channel)
{
        for (unsigned i = 0; i < CHANNEL_TIERS_MAX; i++)
                balancer_free(channel->tiers[i].balancer);
}

static bool fits(const struct tier *tier, const struct balancer_policy *policy)
{
        return tier->balancer && tier->balancer->policy == policy;
}

int tiers_set_policy(struct channel *channel, const struct balancer_policy *policy, unsigned count)
{
        struct balancer *made[CHANNEL_TIERS_MAX] = { 0 };
        unsigned i;

        count = count > channel->tier_count ? count : channel->tier_count;
        for (i = 0; i < count; i++) {
                made[i] = fits(channel->tiers + i, policy)
                                  ? channel->tiers[i].balancer
                                  : balancer_new(policy, channel->tiers + i);
                if (!made[i])
                        break;
        }
        for (unsigned done = 0; i < count && done < i; done++) {
                if (made[done] != channel->tiers[done].balancer)
                        balancer_free(made[done]);
        }
        if (i < count)
                return -ENOMEM;
        for (i = 0; i < CHANNEL_TIERS_MAX; i++) {
                if (made[i] == channel->tiers[i].balancer ||
                        (i >= count && fits(channel->tiers + i, policy)))
                        continue;
                balancer_free(channel->tiers[i].balancer);
                channel->tiers[i].balancer = made[i];
        }
        return 0;
}
