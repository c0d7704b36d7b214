/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs the handlers of calls: on the ring, or, for offloaded methods, on a worker. What happens next to
 * a call follows from its state alone (next_event); one event of a call runs at a time.
 */

#include "call/call.h"
#include "link/owner.h"

struct quoit_server;

/* Runs what is due on @call, up to a few events. On the ring. @in_line: as in link_owner.run_call. */
enum dispatched dispatch_call(struct quoit_call *call, struct quoit_server *server, bool in_line);
