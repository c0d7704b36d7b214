/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs the handlers of calls: on the ring, or, for offloaded methods, on a worker. What happens next to
 * a call follows from its state alone (next_event); one event of a call runs at a time.
 */

#include "call/call.h"

struct workers;
struct quoit_server;

enum dispatched {
        DISPATCHED_ALL,       /* nothing is due any more; the call may be freed */
        DISPATCHED_SOME,      /* there is more to run */
        DISPATCHED_CONGESTED, /* there is, once the peer has taken what waits for it */
        DISPATCHED_BUSY, /* there is, once a worker is through with another of the connection's calls */
};

/*
 * Runs what is due on @call, up to a few events. On the ring. @in_line: it is the turn's time for handlers; else what is
 * heavy lets those go first who wait for that.
 */
enum dispatched dispatch_call(struct quoit_call *call, struct quoit_server *server, bool in_line);
