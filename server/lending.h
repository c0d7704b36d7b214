/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls of offloaded methods: each event is lent to a worker thread, and comes back to the ring by mail. All functions run on the
 * ring.
 */

#include <stdbool.h>

#include "server/errand.h"

struct call_group;

/* Whether @event runs on a worker. What comes before the handler runs on the ring, and so does an end without user code. */
bool lending_takes(const struct quoit_call *call, enum event event);

/* The calls of one connection may use all workers but one, which is left for the others. Beyond that they do not queue. */
bool lending_share_is_used(const struct call_group *group, const struct quoit_server *server);

/* Lends the call, or refuses it. */
void lending_submit(struct quoit_call *call, enum event event, struct quoit_server *server);
