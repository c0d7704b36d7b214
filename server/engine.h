/* SPDX-License-Identifier: MIT */
#pragma once

/* Which engine the rings of a server run on: chosen once, for all of them. */

#include <stdbool.h>

struct quoit_server;

/*
 * Chooses the engine, if that is not done: tries io_uring. 0; a negative errno: the engine is not available, and the
 * server's problem says why.
 */
int engine_choose(struct quoit_server *server);

/*
 * io_uring is refused for good: now, or after it was tried, as the process has fewer rights since. True: the server has
 * changed to epoll, and all rings are to be tried again.
 */
bool engine_fall_back(struct quoit_server *server);
