/* SPDX-License-Identifier: MIT */
#pragma once

/* What the rings of a server run on: chosen once, for all of them. */

#include <stdbool.h>

struct quoit_server;

/* Unless it is done: sees what there is. 0; a negative errno: it is not what was asked for, which the server's problem tells. */
int engine_choose(struct quoit_server *server);

/* A ring has been refused although io_uring was there when it was tried, to a process that had more rights then. True: all are
 * to be tried again, on epoll. */
bool engine_fall_back(struct quoit_server *server);
