/* SPDX-License-Identifier: MIT */
#pragma once

/* The calls of a connection that have something to run, and how much of it they may in one turn of their ring. */

#include <stdbool.h>

struct connection;
struct deferred;

/*
 * Runs calls that are ready, within what the connection may do in a turn; the rest goes on in the next one, and nothing more is
 * read before it is done. @in_line: see link_owner.run_call.
 */
void ready_run(struct connection *connection, bool in_line);

/* The connection's `dispatch`. It may free the connection. */
void ready_on_turn_end(struct deferred *dispatch);
