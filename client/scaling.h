/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many connections there are to an address (gRPC's proposal A105). One, until it has as many calls as the server allows it: then there
 * is one more for those that wait, up to the channel's `connections_max`. A call goes to the oldest that has room, so that the others are
 * without calls first; and those are closed after `connection_spare_ms`.
 */

#include <stdbool.h>

struct channel;
struct client_connection;
struct subchannel;

/* The most connections to each address: as the program says, else the service config. */
unsigned scaling_max(const struct channel *channel);

/* The oldest connection on which a call can begin now; NULL: there is none, or it is not READY. */
struct client_connection *scaling_room(const struct subchannel *subchannel);

/* READY, without room until a call ends: no further connection is on its way or can be begun now, and none is about to end. */
bool scaling_is_full(const struct subchannel *subchannel);

/* All addresses that are READY of the tier that has the calls are, and there is one. */
bool scaling_channel_is_full(const struct channel *channel);

/*
 * Begins one more connection to each address where calls wait for room, if there can be one. If there can be none, and nothing but feeds
 * (feed.h) has the room, one of these ends: else the calls would wait for ever. After all picks.
 */
void scaling_grow(struct channel *channel);

/* It has one more connection. */
void scaling_on_ready(struct subchannel *subchannel);
