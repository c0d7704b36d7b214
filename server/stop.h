/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a shard ends: when the server is to stop, its hooks hear of it first, then listeners close and connections drain, and what
 * runs beyond `drain_ms`, or when the server is stopped twice, is cancelled.
 */

#include <stdbool.h>

struct shard;

/* Once in each turn, at its end: sees whether a stop was asked for, and goes on with it. */
void stop_look(struct shard *shard);

/*
 * Stopped, and nothing left: neither here nor, on its way here, with the shard that accepts. That one goes last, so that
 * whoever drives it need not wait for the others where it must not block.
 */
bool stop_is_over(struct shard *shard);
