/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Looks up the addresses of a channel's name, by DNS on the channel's ring (dns.h). A channel has one lookup at a time, which ends
 * after `resolution_ms`. A family that does not answer delays the other one by RESOLVER_PATIENCE_MS at most: its addresses follow when
 * they come.
 */

#include "core/endpoint.h"

struct channel;

#define RESOLVER_PATIENCE_MS 250

/* Begins a lookup: addresses_on_lookup() follows, once or twice, later. No-op while one is under way that has found nothing yet. */
void resolver_start(struct channel *channel);

/* Its lookup, if there is one, ends at once and reports no more. */
void resolver_forget(struct channel *channel);

/*
 * Puts addresses in the order in which they are tried: the families take turns, beginning with the one of the first (RFC 8305 section 4).
 * Pure.
 */
void resolver_interleave(struct endpoint *addresses, unsigned count);
