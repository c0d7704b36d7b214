/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A thread with a ring of its own that connects, gives up and lets times run out, all by chance: core/connector.h, which a server
 * does not use.
 */

/* Ends by itself. */
void *dialer_run(void *unused);
