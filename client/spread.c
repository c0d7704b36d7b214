/* SPDX-License-Identifier: MIT */
#include "client/spread.h"

static const struct spread_policy *policy_of(const struct spread *self)
{
        return CONTAINER_OF(self->balancer.policy, struct spread_policy, policy);
}

/* ---- states ---- */

/* Anew: who is READY, and what the channel is then. */
static void look(struct spread *self)
{
        const struct tier *tier = self->balancer.tier;

        self->count = 0;
        self->weighed_ns = 0;
        for (unsigned i = 0; i < tier->count; i++) {
                struct subchannel *subchannel = tier->subchannels[i];

                if (subchannel_state_seen(subchannel) == SUBCHANNEL_READY)
                        self->ready[self->count++] = subchannel;
        }
        if (policy_of(self)->on_update)
                policy_of(self)->on_update(self);
        balancer_report(self->balancer.tier, aggregate_all);
}

static void connect_all(struct spread *self)
{
        const struct tier *tier = self->balancer.tier;

        self->sleeps = false;
        self->begins = true;
        for (unsigned i = 0; i < tier->count; i++) {
                if (subchannel_can_connect(tier->subchannels[i]))
                        subchannel_connect(tier->subchannels[i]);
        }
        self->begins = false;
        look(self);
}

void spread_connect(struct balancer *balancer)
{
        struct spread *self = spread_of(balancer);

        /* by chance: clients do not begin all with the same address */
        self->next = self->stride.sequence = (uint32_t)ring_jitter(channel_ring(balancer->channel));
        tier_set_state(balancer->tier, QUOIT_CHANNEL_CONNECTING);
        connect_all(self);
}

void spread_on_addresses(struct balancer *balancer)
{
        if (balancer->tier->state != QUOIT_CHANNEL_IDLE)
                connect_all(spread_of(balancer));
}

static bool has(const struct spread *self, const struct subchannel *subchannel)
{
        for (unsigned i = 0; i < self->count; i++) {
                if (self->ready[i] == subchannel)
                        return true;
        }
        return false;
}

static void on_idle(struct spread *self, struct subchannel *subchannel, bool was_ready)
{
        struct tier *tier = self->balancer.tier;

        if (balancer_rests(tier->channel))
                return;
        if (was_ready && !channel_has_calls(tier->channel))
                self->sleeps = true;
        else if (subchannel_can_connect(subchannel))
                subchannel_connect(subchannel);
}

void spread_on_state(struct balancer *balancer, struct subchannel *subchannel)
{
        struct spread *self = spread_of(balancer);
        bool was_ready = has(self, subchannel);

        if (balancer->tier->state == QUOIT_CHANNEL_IDLE || self->begins)
                return;
        if (subchannel->state == SUBCHANNEL_IDLE)
                on_idle(self, subchannel, was_ready);
        if (balancer->tier->state != QUOIT_CHANNEL_IDLE)
                look(self);
}

void spread_rest(struct balancer *balancer)
{
        struct spread *self = spread_of(balancer);

        self->sleeps = false;
        self->count = 0;
        if (policy_of(self)->on_update)
                policy_of(self)->on_update(self);
}

/* ---- picks ---- */

enum balancer_pick spread_pick(
        struct balancer *balancer, struct quoit_outcall *call, struct subchannel **ret_subchannel)
{
        struct spread *self = spread_of(balancer);
        int first;

        if (self->sleeps)
                connect_all(self);
        if (self->count == 0)
                return balancer->tier->state == QUOIT_CHANNEL_TRANSIENT_FAILURE ? PICK_FAIL
                                                                                : PICK_WAIT;
        first = policy_of(self)->choose(self, call);
        if (first < 0)
                return PICK_WAIT;
        for (unsigned i = 0; i < self->count; i++) {
                *ret_subchannel = self->ready[((unsigned)first + i) % self->count];
                if (balancer->policy->is_by_call || subchannel_has_room(*ret_subchannel))
                        return PICK_SUBCHANNEL;
        }
        return PICK_WAIT;
}

/* ---- round_robin ---- */

static int choose_next(struct spread *self, const struct quoit_outcall *call)
{
        (void)call;
        return (int)(self->next++ % self->count);
}

const struct spread_policy round_robin = {
        .policy = { .name = "round_robin", SPREAD_POLICY },
        .choose = choose_next,
};
