/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/server.h>

/*
 * SIGTERM and SIGINT end the program, at whatever time they come: before it serves at once, whatever it waits for, with
 * status 0; then as quoit_server_stop() has it.
 */

/* From here on they do. 0 or a negative errno. */
int stop_begin(void);

/* There are calls now that may finish. */
void stop_gracefully(quoit_server *server);

/* The server has ended: they do nothing any more. Harmless where it never began. */
void stop_end(void);
