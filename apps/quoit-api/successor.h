/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A new process of this program (from its file as it is now), with the same command line, that takes the sockets over.
 * predecessor.h is its side.
 */

#include <sys/types.h>

#include "doors.h"

struct successor {
        pid_t pid; /* until it serves: our child, which can be only the parent of the real one */
        int pidfd;
        int link_fd; /* predecessor.h; readable when it serves, or has given up */
};

/* Starts it, with a way to its keeper (keeper.h) if @keeper_fd is not -1. 0 or a negative errno. */
int successor_start(
        struct successor *successor, char **argv, const struct doors *doors, int keeper_fd);

/*
 * Call it when link_fd is readable. True: it serves; @pid is its process, which is not our child; link_fd stays open, and
 * becomes the caller's. False: it has ended, and @ret_why (of @size bytes) says how.
 */
bool successor_serves(struct successor *successor, char *ret_why, size_t size);

/* It takes too long, or is no longer wanted: ends it. */
void successor_kill(struct successor *successor);
