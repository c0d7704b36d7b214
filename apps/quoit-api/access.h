/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/server.h>

/*
 * Logs the calls of @server to the file at @path ("-": standard output), as JSON or as text; SIGHUP opens it again. NULL: no
 * log. Before hangup_start(). False: it failed, and the error was logged.
 */
bool access_start(quoit_server *server, const char *path, bool json);

/* After the server's end: writes the lines that are left. */
void access_stop(void);
