/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The addresses of a channel: when its name is looked up, and what that means for its subchannels. An address that stays keeps its
 * subchannel, with its connection and its pauses. One that is gone takes no new calls, and its connection ends with its last call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>

#include "core/endpoint.h"

struct channel;
struct subchannel;

/* An address, as it was found. */
struct address {
        struct endpoint endpoint;
        uint32_t share; /* of the calls, beside those of the other addresses; 0: nothing is said */
        bool is_fallback; /* no proxy stands before it */
        unsigned tier; /* the first is 0. The same as the one before has, or the next number */
};

/*
 * From now on they are these: @addresses, as far as there is room beside the channel's fallbacks, and those behind them, without those that
 * occur twice. The balancer does not hear of it. 0; -ENOMEM: nothing has changed.
 */
int addresses_set(struct channel *channel, const struct address *addresses, unsigned count);

/* Other threads may see them (registry.h). The channel has begun. */
void addresses_register(struct channel *channel);

/*
 * The channel wakes from IDLE. True: its addresses are not known, or it has rested for `resolution_ms_min`. So it is CONNECTING, its name
 * is looked up, and tiers_on_addresses() follows. False: they are good enough to begin with.
 */
bool addresses_wait(struct channel *channel);

/* One of them could not be reached, or its connection has ended. They are looked up, `resolution_ms_min` after the last time or later. */
void addresses_doubt(struct channel *channel);

/* The lookup of the channel's name has ended: @count @addresses, or none, and the @problem. */
void addresses_on_lookup(struct channel *channel, const struct address *addresses, unsigned count,
        const char *problem);

/* A lookup that waits after a failure begins now. */
void addresses_hurry(struct channel *channel);

/* All of them are IDLE, and nothing is looked up by itself. */
void addresses_rest(struct channel *channel);

/* The channel has none any more. */
void addresses_end(struct channel *channel);

/* @subchannel may be unused now: it is freed, if the channel has lost it. */
void addresses_release(struct subchannel *subchannel);

/* Every address that has failed, why, and when the next attempt comes: at most @size bytes with the zero; "" if none has. */
void addresses_describe(const struct channel *channel, char *text, size_t size);
