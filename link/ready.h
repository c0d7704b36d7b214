/* SPDX-License-Identifier: MIT */
#pragma once

/* The calls of a connection that have something to run, and how much of it one turn of the ring allows. */

#include <stdbool.h>

struct connection;
struct deferred;

/*
 * Runs calls that are ready, within the connection's budget for a turn. The rest goes on in the next turn; until it is done,
 * nothing more is read. @in_line: see link_owner.run_call.
 */
void ready_run(struct connection *connection, bool in_line);

/* The connection's `dispatch`. Frees the connection if nothing uses it any more. */
void ready_on_turn_end(struct deferred *dispatch);
