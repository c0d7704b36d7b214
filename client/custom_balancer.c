/* SPDX-License-Identifier: MIT */
#include "client/custom_balancer.h"

#include "client/outcall.h"

static const struct balancing *rules_of(const struct balancer *balancer)
{
        return &balancer->channel->balancing;
}

/* ---- what users see of an address: a subchannel ---- */

static const struct subchannel *subchannel_of(const quoit_balancer_address *address)
{
        return (const struct subchannel *)address;
}

const char *quoit_balancer_address_text(const quoit_balancer_address *address)
{
        return subchannel_of(address)->text;
}

uint32_t quoit_balancer_address_calls(const quoit_balancer_address *address)
{
        return subchannel_of(address)->calls;
}

bool quoit_balancer_address_has_room(const quoit_balancer_address *address)
{
        return subchannel_has_room(subchannel_of(address));
}

static const quoit_balancer_address *const *addresses_of(const struct spread *self)
{
        return (const quoit_balancer_address *const *)self->ready;
}

/* ---- a policy ---- */

static void on_update(struct spread *self)
{
        const struct balancing *rules = rules_of(&self->balancer);

        if (rules->balancer->on_update)
                rules->balancer->on_update(addresses_of(self), self->count, rules->user);
}

static int choose(struct spread *self, const struct quoit_outcall *call)
{
        const struct balancing *rules = rules_of(&self->balancer);
        const quoit_balancer_call told = {
                .method = call->method, .has_hash = call->hash_is_known, .hash = call->hash
        };
        int index = rules->balancer->pick(&told, addresses_of(self), self->count, rules->user);

        return index < (int)self->count ? index : QUOIT_BALANCER_WAIT;
}

static void on_done(struct balancer *balancer, struct subchannel *subchannel,
        struct quoit_outcall *call, quoit_status status)
{
        const struct balancing *rules = rules_of(balancer);

        (void)call;
        if (rules->balancer->on_done)
                rules->balancer->on_done(
                        (const quoit_balancer_address *)subchannel, status, rules->user);
}

const struct spread_policy custom_balancer = {
        .policy = { .name = "custom", .is_by_call = true, SPREAD_POLICY, .on_done = on_done },
        .choose = choose,
        .on_update = on_update,
};
