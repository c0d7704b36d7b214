/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The addresses of a channel: when its name is looked up, and what that means for its subchannels. An address that stays keeps its
 * subchannel, with its connection and its pauses. One that is gone takes no new calls, and its connection ends with its last call.
 */

#include <stdbool.h>
#include <stddef.h>

struct endpoint;
struct quoit_channel;
struct subchannel;

/*
 * From now on they are these: @addresses, up to the channel's `count_max`, without those that occur twice. The balancer does not hear of
 * it. 0; -ENOMEM: nothing has changed.
 */
int addresses_set(struct quoit_channel *channel, const struct endpoint *addresses, unsigned count);

/* They are of a name, and were looked up long ago or never. */
bool addresses_are_old(const struct quoit_channel *channel);

/* Looks them up if they are old. True: balancer_on_addresses() follows. */
bool addresses_refresh(struct quoit_channel *channel);

/* The lookup of the channel's name has ended: @count @addresses, or none, and the @problem. */
void addresses_on_lookup(struct quoit_channel *channel, const struct endpoint *addresses,
        unsigned count, const char *problem);

/* A lookup that waits after a failure begins now. */
void addresses_hurry(struct quoit_channel *channel);

/* All of them are IDLE, and nothing is looked up by itself. */
void addresses_rest(struct quoit_channel *channel);

/* The channel has none any more. */
void addresses_end(struct quoit_channel *channel);

/* @subchannel may be unused now: it is freed, if the channel has lost it. */
void addresses_release(struct subchannel *subchannel);

/* Every address that has failed, why, and when the next attempt comes: at most @size bytes with the zero; "" if none has. */
void addresses_describe(const struct quoit_channel *channel, char *text, size_t size);
