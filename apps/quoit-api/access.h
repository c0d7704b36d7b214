/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/server.h>

/*
 * Logs the calls of @server to the file at @path ("-": standard output), as JSON or as text; SIGHUP opens it anew. NULL:
 * no log. Before hangup_start(). False: what is wrong was said.
 */
bool access_start(quoit_server *server, const char *path, bool json);

/* After the server's end: what is left is written. */
void access_stop(void);
