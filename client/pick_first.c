/* SPDX-License-Identifier: MIT */
#include "client/pick_first.h"

#include "client/channel.h"
#include "client/client.h"
#include "core/clock.h"

struct pick_first {
        struct balancer balancer;
        struct subchannel *picked; /* READY; NULL: none */
        uint8_t order
                [QUOIT_CHANNEL_ADDRESSES_MAX]; /* in which addresses are tried: indexes of subchannels */
        unsigned next; /* of the round of attempts */
        struct timer attempt; /* has the next one begin */
};

static struct pick_first *self_of(struct balancer *balancer)
{
        return CONTAINER_OF(balancer, struct pick_first, balancer);
}

static struct ring *ring_of(const struct pick_first *self)
{
        return channel_ring(self->balancer.channel);
}

static struct timers *timers_of(const struct pick_first *self)
{
        return &ring_of(self)->timers;
}

static void init(struct balancer *balancer)
{
        timer_init(&self_of(balancer)->attempt);
}

/* ---- a round of attempts ---- */

/* It is tried, or will be as soon as an attempt that was given up has let it go. */
static bool is_pending(const struct subchannel *subchannel)
{
        return subchannel->state == SUBCHANNEL_CONNECTING ||
               (subchannel->state == SUBCHANNEL_IDLE && subchannel_is_busy(subchannel));
}

static bool any_pending(const struct tier *tier)
{
        for (unsigned i = 0; i < tier->count; i++) {
                if (is_pending(tier->subchannels[i]))
                        return true;
        }
        return false;
}

/* The next one of this round; NULL: there is none. */
static struct subchannel *next_of_round(struct pick_first *self)
{
        const struct tier *tier = self->balancer.tier;

        while (self->next < tier->count) {
                struct subchannel *subchannel = tier->subchannels[self->order[self->next++]];

                if (subchannel_can_connect(subchannel))
                        return subchannel;
        }
        return NULL;
}

static void try_next(struct pick_first *self);

static void on_attempt_slow(struct timer *timer)
{
        try_next(CONTAINER_OF(timer, struct pick_first, attempt));
}

static void try_next(struct pick_first *self)
{
        struct tier *tier = self->balancer.tier;
        struct subchannel *subchannel = next_of_round(self);
        uint64_t delay_ns = tier->channel->client->limits.attempt_delay_ms * NS_PER_MS;

        timer_cancel(timers_of(self), &self->attempt);
        if (!subchannel) {
                if (!any_pending(tier) && tier->state == QUOIT_CHANNEL_CONNECTING)
                        tier_set_state(tier, QUOIT_CHANNEL_TRANSIENT_FAILURE);
                return;
        }
        if (self->next < tier->count)
                timer_start(timers_of(self), &self->attempt, ring_now_ns(ring_of(self)) + delay_ns,
                        on_attempt_slow);
        subchannel_connect(subchannel); /* if it fails at once it has tried the next one */
}

static void begin_round(struct pick_first *self)
{
        self->next = 0;
        try_next(self);
}

static void rest(struct balancer *balancer)
{
        struct pick_first *self = self_of(balancer);

        timer_cancel(timers_of(self), &self->attempt);
        self->picked = NULL;
}

/* ---- from the channel ---- */

static void begin(struct balancer *balancer)
{
        tier_set_state(balancer->tier, QUOIT_CHANNEL_CONNECTING);
        begin_round(self_of(balancer));
}

/* Their pauses are for what was before the picked one. */
static void end_pauses(struct tier *tier)
{
        for (unsigned i = 0; i < tier->count; i++) {
                struct subchannel *subchannel = tier->subchannels[i];

                if (subchannel->state != SUBCHANNEL_TRANSIENT_FAILURE)
                        continue;
                backoff_reset(&subchannel->backoff);
                subchannel_abandon(subchannel);
        }
}

/*
 * The picked one's connection takes no more calls. Where it was of no use pauses go on: else addresses that accept and say farewell would
 * be tried in turn without any.
 */
static void on_picked_lost(struct pick_first *self)
{
        if (self->picked->useless_count == 0)
                end_pauses(self->balancer.tier);
        self->picked = NULL;
        tier_set_state(self->balancer.tier, QUOIT_CHANNEL_IDLE);
}

static bool wants_attempts(const struct tier *tier)
{
        return tier->state == QUOIT_CHANNEL_CONNECTING ||
               tier->state == QUOIT_CHANNEL_TRANSIENT_FAILURE;
}

/* The addresses' own, or one by chance (Fisher and Yates). */
static void set_order(struct pick_first *self)
{
        const struct tier *tier = self->balancer.tier;

        for (unsigned i = 0; i < tier->count; i++) {
                unsigned other = tier->channel->balancing.shuffles
                                         ? (unsigned)(ring_jitter(ring_of(self)) % (i + 1))
                                         : i;

                self->order[i] = self->order[other];
                self->order[other] = (uint8_t)i;
        }
}

static void on_addresses(struct balancer *balancer)
{
        struct pick_first *self = self_of(balancer);

        set_order(self);
        if (self->picked && self->picked->state != SUBCHANNEL_READY)
                on_picked_lost(self);
        else if (wants_attempts(balancer->tier))
                begin_round(self);
}

static enum balancer_pick pick(
        struct balancer *balancer, struct quoit_outcall *call, struct subchannel **ret_subchannel)
{
        struct pick_first *self = self_of(balancer);

        (void)call;
        if (balancer->tier->state == QUOIT_CHANNEL_TRANSIENT_FAILURE)
                return PICK_FAIL;
        if (!self->picked || !subchannel_has_room(self->picked))
                return PICK_WAIT;
        *ret_subchannel = self->picked;
        return PICK_SUBCHANNEL;
}

/* ---- from subchannels ---- */

static void on_idle(struct pick_first *self, struct subchannel *subchannel)
{
        struct tier *tier = self->balancer.tier;
        bool has_failed = tier->state == QUOIT_CHANNEL_TRANSIENT_FAILURE;

        if (has_failed && balancer_rests(tier->channel))
                return;
        if (wants_attempts(tier) && subchannel_can_connect(subchannel))
                subchannel_connect(subchannel);
}

static void on_ready(struct pick_first *self, struct subchannel *subchannel)
{
        struct tier *tier = self->balancer.tier;

        timer_cancel(timers_of(self), &self->attempt);
        self->picked = subchannel;
        for (unsigned i = 0; i < tier->count; i++) {
                struct subchannel *other = tier->subchannels[i];

                if (other != subchannel && other->state != SUBCHANNEL_TRANSIENT_FAILURE)
                        subchannel_abandon(other);
        }
        tier_set_state(tier, QUOIT_CHANNEL_READY);
}

static void on_state(struct balancer *balancer, struct subchannel *subchannel)
{
        struct pick_first *self = self_of(balancer);

        if (subchannel->state == SUBCHANNEL_READY)
                on_ready(self, subchannel);
        else if (subchannel == self->picked)
                on_picked_lost(self);
        else if (subchannel->state == SUBCHANNEL_IDLE)
                on_idle(self, subchannel);
        else if (balancer->tier->state == QUOIT_CHANNEL_CONNECTING)
                try_next(self);
}

const struct balancer_policy pick_first = {
        .name = "pick_first",
        .bytes = sizeof(struct pick_first),
        .init = init,
        .connect = begin,
        .on_addresses = on_addresses,
        .on_state = on_state,
        .pick = pick,
        .rest = rest,
};
