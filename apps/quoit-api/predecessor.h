/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * The process that this one takes over from, if it was started by one (successor.h). In $QUOIT_API_PREDECESSOR it has
 * passed a pipe, and its listening sockets by the addresses that its command line calls them: connections that wait in
 * their queues come to whoever accepts next, so none is lost.
 *
 *      PIPE newline, then for each address its sockets, FD comma FD comma ..., a space, ADDRESS newline
 */
#define PREDECESSOR_VARIABLE "QUOIT_API_PREDECESSOR"

#define SOCKETS_MAX 32 /* of one address: as many as a server takes in all */

struct predecessor {
        char *listeners; /* what was passed and not taken, NULL: there is no predecessor */
        int ready_fd;
};

/* Reads the environment, and takes the variable out of it. */
void predecessor_meet(struct predecessor *predecessor);

/* The sockets it had for @address into @ret_fds; how many there are, 0: none. Each is taken once. */
unsigned predecessor_take(
        struct predecessor *predecessor, const char *address, int *ret_fds, unsigned max);

/* This process serves: the other one is told to drain, and sockets that nobody took are closed. */
void predecessor_relieve(struct predecessor *predecessor);
