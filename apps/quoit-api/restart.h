/* SPDX-License-Identifier: MIT */
#pragma once

#include "doors.h"

/*
 * SIGUSR2 puts a new process of the program's file in this one's place, and nobody who calls notices: the new one takes
 * the sockets over and begins to serve, then this one drains, and ends; or stays as its keeper (keeper.h). Where the new one
 * does not come up, this one goes on, and says so. A thread of its own sees to it.
 */

#define RESTART_PATIENCE_MS 30000 /* for a new process to come up */

struct restart_options {
        char **argv;
        const struct doors *doors;
        unsigned drain_ms; /* for the calls of this one when another serves */
};

/* When it serves; what @options point to has to stay. A SIGUSR2 that came before is heard now. 0 or a negative errno. */
int restart_begin(const struct restart_options *options);

/* It is to stop: no more restarts. True: the first to say so. */
bool restart_forbid(void);

/* The server has ended: no more restarts, and a new process that is not up yet is not wanted. Harmless
 * where it never began. */
void restart_end(void);
