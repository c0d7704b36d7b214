/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls that have ended without their handlers, and whose handlers are not through: on a worker, or holding the call. Mostly for a
 * moment. One that goes on for `handler_end_ms` is logged, and all can be named when the server stops: their clients
 * are gone, so nothing else leads to them.
 */

#include "core/list.h"
#include "core/timer.h"

struct call_host;
struct quoit_call;

struct lingering {
        struct list fresh; /* in the order in which they ended */
        struct list logged; /* calls that were logged */
        struct timer timer;
};

void lingering_init(struct lingering *lingering);
void lingering_deinit(struct call_host *host);

/* The call has been cancelled; its handler is to come to an end, and has. */
void lingering_add(struct quoit_call *call);
void lingering_remove(struct quoit_call *call);
