/* SPDX-License-Identifier: MIT */
#include "client/ring_hash.h"

#include <string.h>

#include "client/channel.h"
#include "client/hash_ring.h"
#include "client/outcall.h"
#include "codec/xxhash.h"

struct ring_hash {
        struct balancer balancer;
        struct hash_ring ring; /* of the channel's subchannels */
};

static struct ring_hash *self_of(struct balancer *balancer)
{
        return CONTAINER_OF(balancer, struct ring_hash, balancer);
}

static void deinit(struct balancer *balancer)
{
        hash_ring_deinit(&self_of(balancer)->ring);
}

/* ---- states ---- */

static void connect_one(struct ring_hash *self, struct subchannel *subchannel)
{
        struct tier *tier = self->balancer.tier;

        if (tier->state == QUOIT_CHANNEL_IDLE)
                tier_set_state(tier, QUOIT_CHANNEL_CONNECTING);
        subchannel_connect(subchannel);
        balancer_report(tier, aggregate_ring);
}

/* Calls have failed over already: one address is always tried, or the channel would not become READY without calls for others. */
static void go_on(struct ring_hash *self)
{
        const struct tier *tier = self->balancer.tier;
        struct subchannel *first = NULL;

        if (tier->state != QUOIT_CHANNEL_TRANSIENT_FAILURE &&
                tier->state != QUOIT_CHANNEL_CONNECTING)
                return;
        for (unsigned i = tier->count; i-- > 0;) {
                struct subchannel *subchannel = tier->subchannels[i];

                if (subchannel->state == SUBCHANNEL_CONNECTING ||
                        subchannel_state_seen(subchannel) == SUBCHANNEL_CONNECTING)
                        return;
                if (subchannel_can_connect(subchannel))
                        first = subchannel;
        }
        if (first)
                connect_one(self, first);
}

static void begin(struct balancer *balancer)
{
        tier_set_state(balancer->tier, QUOIT_CHANNEL_CONNECTING);
        go_on(self_of(balancer));
}

static void on_state(struct balancer *balancer, struct subchannel *subchannel)
{
        struct tier *tier = balancer->tier;

        if (tier->state == QUOIT_CHANNEL_IDLE) {
                channel_stir(tier->channel); /* it can connect again, and calls may wait for that */
                return;
        }
        if (subchannel->has_failed && subchannel->state == SUBCHANNEL_IDLE) {
                if (balancer_rests(tier->channel))
                        return;
                if (subchannel_can_connect(subchannel))
                        subchannel_connect(subchannel);
        }
        balancer_report(tier, aggregate_ring);
        go_on(self_of(balancer));
}

static const char *name_of(const struct subchannel *subchannel)
{
        bool has_family = strncmp(subchannel->text, "ipv4:", 5) == 0 ||
                          strncmp(subchannel->text, "ipv6:", 5) == 0;

        return subchannel->text + (has_family ? 5 : 0);
}

static void on_addresses(struct balancer *balancer)
{
        struct ring_hash *self = self_of(balancer);
        struct tier *tier = balancer->tier;
        const char *names[QUOIT_CHANNEL_ADDRESSES_MAX];
        uint32_t shares[QUOIT_CHANNEL_ADDRESSES_MAX];

        for (unsigned i = 0; i < tier->count; i++) {
                names[i] = name_of(tier->subchannels[i]);
                shares[i] = tier->subchannels[i]->share > 0 ? tier->subchannels[i]->share : 1;
        }
        if (hash_ring_build(&self->ring, names, shares, tier->count,
                    tier->channel->balancing.ring_size_min,
                    tier->channel->balancing.ring_size_max) < 0)
                hash_ring_deinit(&self->ring); /* without memory calls fail */
        if (tier->state == QUOIT_CHANNEL_IDLE)
                return;
        balancer_report(tier, aggregate_ring);
        go_on(self);
}

static void rest(struct balancer *balancer)
{
        (void)balancer;
}

/* ---- picks ---- */

static struct subchannel *at(const struct ring_hash *self, uint32_t place)
{
        return self->balancer.tier->subchannels[self->ring.places[place % self->ring.count].index];
}

/* The first from @place on that has not failed. */
static enum balancer_pick pick_from(
        struct ring_hash *self, uint32_t place, struct subchannel **ret_subchannel)
{
        for (uint32_t i = 0; i < self->ring.count; i++) {
                struct subchannel *subchannel = at(self, place + i);

                switch (subchannel_state_seen(subchannel)) {
                case SUBCHANNEL_READY:
                        *ret_subchannel = subchannel;
                        return PICK_SUBCHANNEL;
                case SUBCHANNEL_IDLE:
                        connect_one(self, subchannel);
                        return PICK_WAIT;
                case SUBCHANNEL_CONNECTING:
                        return PICK_WAIT;
                case SUBCHANNEL_TRANSIENT_FAILURE:
                        break;
                }
        }
        return PICK_FAIL;
}

/* A call without a key: the first that is READY; at most one connects for it (A76). */
static enum balancer_pick pick_any(
        struct ring_hash *self, uint32_t place, bool connects, struct subchannel **ret_subchannel)
{
        for (uint32_t i = 0; i < self->ring.count; i++) {
                struct subchannel *subchannel = at(self, place + i);
                enum subchannel_state state = subchannel_state_seen(subchannel);

                if (state == SUBCHANNEL_READY) {
                        *ret_subchannel = subchannel;
                        return PICK_SUBCHANNEL;
                }
                if (!connects && state == SUBCHANNEL_IDLE) {
                        connects = true;
                        connect_one(self, subchannel);
                }
        }
        return connects ? PICK_WAIT : PICK_FAIL;
}

/* A bit for each state that an address is in. */
static unsigned states_seen(const struct tier *tier)
{
        unsigned states = 0;

        for (unsigned i = 0; i < tier->count; i++)
                states |= 1u << subchannel_state_seen(tier->subchannels[i]);
        return states;
}

/* The one that @call belongs to is not READY. */
static enum balancer_pick pick_another(struct ring_hash *self, const struct quoit_outcall *call,
        uint32_t place, struct subchannel **ret_subchannel)
{
        unsigned states = states_seen(self->balancer.tier);
        bool connects = states & 1u << SUBCHANNEL_CONNECTING;

        /* the ring has far more places than there are addresses, and many calls may wait */
        if (states == 1u << SUBCHANNEL_TRANSIENT_FAILURE)
                return PICK_FAIL;
        if (call->hash_is_random && connects && !(states & 1u << SUBCHANNEL_READY))
                return PICK_WAIT;
        return call->hash_is_random ? pick_any(self, place, connects, ret_subchannel)
                                    : pick_from(self, place, ret_subchannel);
}

/* From its metadata, unless it has a key. */
static void set_hash(struct quoit_outcall *call)
{
        const struct channel *channel = call->channel;
        const char *header = channel->balancing.hash_header;
        upb_StringView value;

        if (call->hash_is_known || call->hash_is_random)
                return;
        call->hash_is_known = *header && fields_find(&call->fields, header, &value);
        call->hash_is_random = !call->hash_is_known;
        call->hash = call->hash_is_known ? xxhash64(value.data, value.size)
                                         : ring_jitter(channel_ring(channel));
}

static enum balancer_pick pick(
        struct balancer *balancer, struct quoit_outcall *call, struct subchannel **ret_subchannel)
{
        struct ring_hash *self = self_of(balancer);
        struct subchannel *own;
        uint32_t place;

        if (self->ring.count == 0)
                return PICK_FAIL;
        set_hash(call);
        place = hash_ring_find(&self->ring, call->hash);
        own = at(self, place);
        if (subchannel_state_seen(own) != SUBCHANNEL_READY)
                return pick_another(self, call, place, ret_subchannel);
        *ret_subchannel = own;
        return PICK_SUBCHANNEL;
}

const struct balancer_policy ring_hash = {
        .name = "ring_hash_experimental",
        .bytes = sizeof(struct ring_hash),
        .is_by_call = true,
        .is_lazy = true,
        .deinit = deinit,
        .connect = begin,
        .on_addresses = on_addresses,
        .on_state = on_state,
        .pick = pick,
        .rest = rest,
};
