/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A channel's lists of addresses, in the order in which they are preferred, each with a balancer of its own: the priority policy of
 * gRPC's proposal A56. Calls go by the first tier that is READY or IDLE. One that fails, or connects for longer than TIER_FAILOVER_MS, has
 * the next one begin, and goes on trying: when it is READY, calls are its again. Those behind it keep their connections for TIER_KEPT_MS.
 * All on the ring's thread, unless it says otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>

#include "core/timer.h"

struct balancer;
struct balancer_policy;
struct channel;
struct subchannel;

#define TIER_FAILOVER_MS 10000
#define TIER_KEPT_MS (15 * 60 * 1000)

struct tier {
        struct channel *channel;
        struct balancer *balancer; /* NULL: it was not needed yet */
        quoit_channel_state state; /* what its balancer makes of its addresses. Never SHUTDOWN */
        bool is_begun; /* it was CONNECTING since it began or rested */
        bool was_fine; /* READY or IDLE, since it last failed */
        struct timer failover; /* while that runs, it is waited for */
        struct timer kept; /* while that runs, one before it has the calls */
        unsigned count; /* of `subchannels`, which are some of the channel's */
        struct subchannel **subchannels;
};

/* Its first one has no addresses yet. Any thread. */
void tiers_init(struct channel *channel);

/* Any thread. */
void tiers_deinit(struct channel *channel);

/* All that are used, and @count of them, have balancers of @policy; those that have others lose them. 0; -ENOMEM: nothing has changed. Any thread. */
int tiers_set_policy(struct channel *channel, const struct balancer_policy *policy, unsigned count);

/* From addresses.h: the channel's subchannels are others. Each belongs to the tier that it says. @count: how many tiers there are. */
void tiers_divide(struct channel *channel, unsigned count);

/* As a policy's on_addresses, for all of them. */
void tiers_on_addresses(struct channel *channel);

/* The one place where a tier's state changes; asserts that the step is one of gRPC's. Calls may go elsewhere then. For policies. */
void tier_set_state(struct tier *tier, quoit_channel_state state);

/* It connects: IDLE, and wanted. */
void tier_connect(struct tier *tier);

/* No attempt is to begin in any; all are IDLE, and the first is the channel's. */
void tiers_rest(struct channel *channel);
