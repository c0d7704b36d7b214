/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Looks up the addresses of a channel's name. The system's resolver blocks, so this is done on a thread of the client's, which is
 * started with the first name. A channel has one lookup at a time.
 */

#include <stdbool.h>

#include "core/endpoint.h"

struct lookup;
struct quoit_channel;
struct quoit_client;

/* Begins a lookup: addresses_on_lookup() follows, later. No-op while one is under way. */
void resolver_start(struct quoit_channel *channel);

/* The channel is going: its lookup, if there is one, reports to nobody. */
void resolver_forget(struct quoit_channel *channel);

/* Ends the thread, which finishes its lookup first. No lookup is under way. */
void resolver_end(struct quoit_client *client);

/*
 * Puts addresses in the order in which they are tried: the families take turns, beginning with the one of the first (RFC 8305 section 4).
 * Pure.
 */
void resolver_interleave(struct endpoint *addresses, unsigned count);
