/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/server.h>

/*
 * Sends spans of the calls of @server to the collector at @endpoint, or, if that is NULL, to the environment's; none: no spans. False: it
 * failed, and the error was logged.
 */
bool trace_start(quoit_server *server, const char *endpoint);

/* After the server's end: sends the spans that are left. */
void trace_stop(void);
