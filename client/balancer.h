/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of a channel's addresses has a call. A *policy* is told what subchannels a tier of the channel has (tier.h) and what becomes of
 * each; it says when they connect, what state the tier is in, and where a call goes. All on the client's thread, and never inside
 * nghttp2's callbacks.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/status.h>

#include "client/aggregate.h"

struct balancer;
struct endpoint;
struct channel;
struct quoit_outcall;
struct subchannel;
struct tier;

/* Where a call goes. */
enum balancer_pick {
        PICK_WAIT, /* nowhere, until a state changes or a subchannel has room */
        PICK_FAIL, /* nowhere: a call that does not wait for READY fails */
        PICK_SUBCHANNEL, /* to this one, which is READY */
};

struct balancer_policy {
        const char *name; /* as gRPC's service config has it */
        size_t bytes; /* of its own struct, which begins with a struct balancer */
        bool is_by_call; /* one call may be picked for where another one waits */
        bool is_lazy; /* its picks connect what they need: calls alone do not make it connect() */
        void (*init)(struct balancer *balancer); /* the rest is zeroed. Can be NULL */
        void (*deinit)(struct balancer *balancer); /* it rests. Can be NULL */
        /* The tier is IDLE; its channel was asked to connect, or has calls. */
        void (*connect)(struct balancer *balancer);
        /*
         * The tier's `subchannels` are others than before, or in another order, or were looked up and are the same. Those that it has
         * lost are IDLE, and valid until this returns.
         */
        void (*on_addresses)(struct balancer *balancer);
        /* The subchannel's state has changed; or it is IDLE, and can connect again only now. */
        void (*on_state)(struct balancer *balancer, struct subchannel *subchannel);
        /* The tier has at least one subchannel. *@ret_subchannel only where one is picked. */
        enum balancer_pick (*pick)(struct balancer *balancer, struct quoit_outcall *call,
                struct subchannel **ret_subchannel);
        /* A call that was begun there is over, or begins again somewhere else. Can be NULL. */
        void (*on_done)(struct balancer *balancer, struct subchannel *subchannel,
                struct quoit_outcall *call, quoit_status status);
        /* No attempt is to begin by itself any more; all subchannels are IDLE next. It may have to connect again later. */
        void (*rest)(struct balancer *balancer);
};

/* A policy at work. */
struct balancer {
        const struct balancer_policy *policy;
        struct channel *channel;
        struct tier *tier; /* of the channel: these addresses are its */
};

/* For @tier. NULL: no memory. Any thread. */
struct balancer *balancer_new(const struct balancer_policy *policy, struct tier *tier);

/* Its policy rests. Takes NULL. */
void balancer_free(struct balancer *balancer);

/* The channel is IDLE, and there are calls, or it was asked to connect. */
void balancer_wake(struct channel *channel);

/* Tries at once what waits after a failure. */
void balancer_hurry(struct channel *channel);

/* Gives all attempts and connections up. The policy is told no more, until it connects again, or has on_addresses. */
void balancer_stop(struct channel *channel);

/* The same, for good. */
void balancer_end(struct channel *channel);

/* Where @call goes. */
enum balancer_pick balancer_pick(
        struct channel *channel, struct quoit_outcall *call, struct subchannel **ret_subchannel);

/* @call has begun on @subchannel. */
void balancer_on_begun(struct quoit_outcall *call, struct subchannel *subchannel);

/* @call is over where it was begun, with @status. No-op if it has not begun, or that was said already. */
void balancer_on_over(struct quoit_outcall *call, quoit_status status);

/* From subchannels: as a policy's on_state. */
void balancer_on_state(struct subchannel *subchannel);

/* For policies. The tier's state is what @aggregate makes of those of its subchannels. Calls that wait are picked for anew. */
void balancer_report(
        struct tier *tier, quoit_channel_state (*aggregate)(const struct state_counts *counts));

/* For policies. An address that has failed may try again. True: the channel rests, as nobody has called for so long. */
bool balancer_rests(struct channel *channel);
