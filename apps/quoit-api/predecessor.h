/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * The process that this one takes over from, if there is one (successor.h). In $QUOIT_API_PREDECESSOR it has passed a socket
 * for messages, and its listening sockets with their addresses on the command line: connections that wait in their queues go to
 * the process that accepts next, so none is lost. We send over the socket (SOCK_SEQPACKET) "R" and our pid in digits when we
 * serve, and "S" each time that we get a signal to stop. When the predecessor has ended we see the end of file.
 *
 *      SOCKET newline, then for each address its sockets, FD comma FD comma ..., a space, ADDRESS newline
 */
#define PREDECESSOR_VARIABLE "QUOIT_API_PREDECESSOR"

#define SOCKETS_MAX 32 /* of one address: as many as a server takes in all */

struct predecessor {
        char *listeners; /* inherited and not yet taken; NULL: there is no predecessor, or it is relieved */
        int link_fd;
};

/*
 * Call it first in main(). If there is a predecessor, a child goes on from here, and this process waits for it and ends with
 * its status. When this process is ended later, the child becomes a child of systemd, which waits only for its own children.
 */
void predecessor_step_aside(void);

/* Reads the environment, and takes the variable out of it. */
void predecessor_read_environment(struct predecessor *predecessor);

/* Puts its sockets for @address into @ret_fds; returns how many, 0: none. Each is taken once. */
unsigned predecessor_take(
        struct predecessor *predecessor, const char *address, int *ret_fds, unsigned max);

/* This process serves: the predecessor begins to drain, and sockets that were not taken are closed. */
void predecessor_relieve(struct predecessor *predecessor);

/* The service stops. No-op without a predecessor. */
void predecessor_tell_stop(const struct predecessor *predecessor);

/* Waits until it has ended, if there is one: for systemd the service ends with its main process. */
void predecessor_await(const struct predecessor *predecessor);
