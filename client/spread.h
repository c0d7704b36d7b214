/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Policies that connect to all addresses and spread calls over those that are READY; they differ only in whose turn it is. gRPC gives
 * each address a pick_first of its own (A61). With one address that is a subchannel that connects again by itself, and counts as failed
 * from a failure until it is READY: here it is no more than that. What differs from gRPC: a connection that ends while nobody calls is
 * made again with the next call, so that idle channels rest; and an address without room for a call lets the next one have it.
 */

#include "client/balancer.h"
#include "client/channel.h"
#include "client/stride.h"

struct spread {
        struct balancer balancer;
        uint32_t next; /* a turn */
        bool sleeps; /* some address was lost while nobody called */
        bool begins; /* attempts are being begun: what has failed at once is not all */
        struct stride stride;
        uint64_t weighed_ns; /* when @stride was set; 0: not for these */
        unsigned count; /* of READY ones, in the order of their addresses */
        struct subchannel *ready[QUOIT_CHANNEL_ADDRESSES_MAX];
};

struct spread_policy {
        struct balancer_policy policy;
        /* Whose turn it is, as an index of `ready`, which is not empty; negative: the call waits. */
        int (*choose)(struct spread *spread, const struct quoit_outcall *call);
        void (*on_update)(struct spread *spread); /* `ready` is another. Can be NULL */
};

extern const struct spread_policy round_robin, weighted_round_robin, least_request;

/* Of a policy of this kind. */
#define SPREAD_POLICY                                                                              \
        .bytes = sizeof(struct spread), .connect = spread_connect,                                 \
        .on_addresses = spread_on_addresses, .on_state = spread_on_state, .pick = spread_pick,     \
        .rest = spread_rest

void spread_connect(struct balancer *balancer);
void spread_on_addresses(struct balancer *balancer);
void spread_on_state(struct balancer *balancer, struct subchannel *subchannel);
enum balancer_pick spread_pick(
        struct balancer *balancer, struct quoit_outcall *call, struct subchannel **ret_subchannel);
void spread_rest(struct balancer *balancer);

static inline struct spread *spread_of(struct balancer *balancer)
{
        return CONTAINER_OF(balancer, struct spread, balancer);
}
