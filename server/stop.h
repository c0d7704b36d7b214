/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a shard ends. When the server is to stop, its hooks run first; then listeners close and connections drain. What still
 * runs after `drain_ms`, or when the server is stopped twice, is cancelled.
 */

#include <stdbool.h>

struct shard;

/* At the end of each turn: sees whether a stop was asked for, and carries on with it. */
void stop_look(struct shard *shard);

/* Nothing of the server's own is left on the shard. Once a shard. */
void stop_note_idle(struct shard *shard);

/*
 * It was stopped and has no connections left, nor are any being handed over to it; clients on its ring have ended too. The shard that accepts ends last: so its
 * caller, who may not be allowed to block, need not wait for the others.
 */
bool stop_is_over(struct shard *shard);
