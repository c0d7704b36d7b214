/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One address of a channel: its attempts to connect, the pauses between them, and its connection; or connections, if the channel may have
 * several to an address and the first has no room (scaling.h). There is one attempt at a time, and pauses are for all. What becomes of
 * it the channel's balancer hears: balancer_on_state().
 */

#include <stdbool.h>
#include <stdint.h>

#include "call/peer.h"
#include "client/backoff.h"
#include "client/health_check.h"
#include "client/load_reports.h"
#include "client/load_weight.h"
#include "client/outlier.h"
#include "client/registry.h"
#include "core/connector.h"
#include "core/endpoint.h"
#include "core/timer.h"

struct client_connection;
struct channel;
struct tier;

enum subchannel_state {
        SUBCHANNEL_IDLE,
        SUBCHANNEL_CONNECTING, /* the socket connects, or its connection awaits the server's SETTINGS */
        SUBCHANNEL_READY, /* it has a connection at least */
        SUBCHANNEL_TRANSIENT_FAILURE, /* it waits until it may try again */
};

#define SUBCHANNEL_WHY_BYTES 200

struct subchannel {
        struct channel *channel;
        struct tier *tier; /* of the channel */
        bool is_fallback; /* the channel's proxy does not stand before it */
        struct list link; /* in the channel's `lost` */
        bool is_lost; /* the channel does not have this address any more */
        enum subchannel_state state;
        bool has_failed; /* since it was last READY */
        struct endpoint address;
        uint32_t share; /* of calls that is wanted for it, beside the others; 0: nothing is said */
        char text[PEER_ADDRESS_BYTES]; /* the address */
        struct subchannel_record record;
        bool is_trying; /* an attempt is under way: */
        bool socket_connects; /* @connector is in use; also after it was abandoned */
        struct connector connector;
        struct client_connection *opening; /* awaits the server's SETTINGS; NULL: none does */
        struct list connections; /* that take calls, the oldest first */
        unsigned count; /* of them */
        struct timer spare_look; /* scaling.h */
        struct list waiting; /* calls that go here and nowhere else, while there is no room */
        uint32_t calls; /* that have begun here, also on connections before this one */
        struct load_weight weight; /* of weighted_round_robin */
        struct outlier outlier;
        struct health_check check;
        struct feed load_reports; /* load_reports.h */
        unsigned useless_count; /* connections in a row that were of no use */
        struct backoff backoff;
        struct timer retry; /* after an attempt that has failed */
        uint64_t retry_ns; /* when it may try again, while that runs */
        char why[SUBCHANNEL_WHY_BYTES]; /* the last attempt failed; "": it did not */
};

/* One for @address, IDLE. To be freed. NULL: no memory. Any thread. */
struct subchannel *subchannel_new(struct tier *tier, const struct endpoint *address);

/* Nothing uses it. Any thread. */
void subchannel_free(struct subchannel *subchannel);

/* Begins an attempt. IDLE, and not busy. */
void subchannel_connect(struct subchannel *subchannel);

/* Begins an attempt for one more connection. READY, not busy, and nothing is tried or waited for. */
void subchannel_connect_more(struct subchannel *subchannel);

/* It is IDLE at once: an attempt is given up, connections finish their calls and take no more, a pause is over. */
void subchannel_abandon(struct subchannel *subchannel);

/* The same, and that it has failed is forgotten. */
void subchannel_rest(struct subchannel *subchannel);

/* What balancers go by: one that has failed counts as failed until it is READY (A62), and so does one that is ejected (A50)
 * or says that it does not serve (A17). */
enum subchannel_state subchannel_state_seen(const struct subchannel *subchannel);

/* The connection that it has had for the longest time; NULL: none. */
struct client_connection *subchannel_oldest(const struct subchannel *subchannel);

/* Whether its memory is still in use by an attempt that was given up. */
static inline bool subchannel_is_busy(const struct subchannel *subchannel)
{
        return subchannel->socket_connects;
}

/* Whether an attempt can begin now. */
static inline bool subchannel_can_connect(const struct subchannel *subchannel)
{
        return subchannel->state == SUBCHANNEL_IDLE && !subchannel_is_busy(subchannel) &&
               !subchannel->is_lost;
}

/* READY, and a call can begin on one of its connections now. */
bool subchannel_has_room(const struct subchannel *subchannel);

/* @connection, one of several that it has, takes no more calls. */
void subchannel_drop(struct subchannel *subchannel, struct client_connection *connection);

/* From its connection: the server's SETTINGS have arrived; it takes no new calls; it is closed. */
void subchannel_on_ready(struct subchannel *subchannel, struct client_connection *connection);
void subchannel_on_leaving(struct subchannel *subchannel, struct client_connection *connection);
void subchannel_on_lost(struct subchannel *subchannel, struct client_connection *connection);
