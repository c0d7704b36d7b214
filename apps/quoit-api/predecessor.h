/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * The process that this one takes over from, if it was started by one (successor.h). In $QUOIT_API_PREDECESSOR it has
 * passed a socket to talk by, and its listening sockets by the addresses that its command line calls them: connections that wait in
 * their queues come to whoever accepts next, so none is lost. It hears over the socket (SOCK_SEQPACKET) "R" and our pid in
 * digits, that we serve, and "S", each time that we are told to stop; when it has ended we see the end of file.
 *
 *      SOCKET newline, then for each address its sockets, FD comma FD comma ..., a space, ADDRESS newline
 */
#define PREDECESSOR_VARIABLE "QUOIT_API_PREDECESSOR"

#define SOCKETS_MAX 32 /* of one address: as many as a server takes in all */

struct predecessor {
        char *listeners; /* what was passed and not taken, NULL: there is no predecessor, or it is relieved */
        int link_fd;
};

/*
 * First of all in main(), where there is a predecessor: a child goes on from here, and this process waits for it and ends as it
 * does. So once this one is ended the service has no parent, and becomes the child of who takes such processes over: systemd
 * waits for no others.
 */
void predecessor_step_aside(void);

/* Reads the environment, and takes the variable out of it. */
void predecessor_meet(struct predecessor *predecessor);

/* The sockets it had for @address into @ret_fds; how many there are, 0: none. Each is taken once. */
unsigned predecessor_take(
        struct predecessor *predecessor, const char *address, int *ret_fds, unsigned max);

/* This process serves: the other one is told to drain, and sockets that nobody took are closed. */
void predecessor_relieve(struct predecessor *predecessor);

/* The service is to stop. Harmless where there is none. */
void predecessor_tell_stop(const struct predecessor *predecessor);

/* Waits until it has ended, if there is one: for systemd the service is over when its main process is. */
void predecessor_await(const struct predecessor *predecessor);
