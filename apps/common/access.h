/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/server.h>

#include "option.h"

struct access_options {
        const char *path; /* of a file; "-": standard output; NULL: no log */
        bool json; /* or as text */
};

/* Of a struct access_options. */
extern const struct option_entry access_options[];

/* Ends the program, with a line, for what does not go together. */
void access_check(const struct access_options *options);

/*
 * Logs the calls of @server; SIGHUP opens the file again. Before hangup_start(). False: it failed, and the error was logged.
 */
bool access_start(quoit_server *server, const struct access_options *options);

/* After the server's end: writes the lines that are left. */
void access_stop(void);
