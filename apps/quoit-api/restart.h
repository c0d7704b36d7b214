/* SPDX-License-Identifier: MIT */
#pragma once

#include "doors.h"

/*
 * SIGUSR2 starts a new process from the program's file, which replaces this one without a lost call: the new one takes the
 * sockets over and begins to serve, then this one drains, and ends, or stays as its keeper (keeper.h). If the new one does not
 * start, this one goes on and logs that. All of this is done on a thread of its own.
 */

#define RESTART_PATIENCE_MS 30000 /* for a new process to begin to serve */

struct restart_options {
        char **argv;
        const struct doors *doors;
        unsigned drain_ms; /* for the calls of this one when another serves */
};

/*
 * Call it when the server serves; what @options point to must stay valid. A pending SIGUSR2 is handled now. 0 or a negative
 * errno.
 */
int restart_begin(const struct restart_options *options);

/* The server stops: no more restarts. True for the first call. */
bool restart_forbid(void);

/* The server has ended: no more restarts, and a new process that does not serve yet is ended. No-op if it never began. */
void restart_end(void);
