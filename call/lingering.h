/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls that were cancelled while their handlers still run: on a worker, or holding the call. Mostly that is short. A handler
 * that takes longer than `handler_end_ms` is logged. The list also names these calls when the server stops: their clients are
 * gone, so nothing else refers to them.
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

/* The call has been cancelled, and its handler shall end; lingering_remove(): it has ended. */
void lingering_add(struct quoit_call *call);
void lingering_remove(struct quoit_call *call);
