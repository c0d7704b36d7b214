/* SPDX-License-Identifier: MIT */
#pragma once

/* What is the same in every example: a server on the command line's address, until SIGTERM or SIGINT. */

#include <quoit/quoit.h>

/* What is said on stderr, by a thread that no ring waits for. */
extern quoit_log_writer *example_log;

/*
 * First in main(). A server that logs to stderr, or the end of the program where there is none to be had. It must be
 * given to example_serve() or example_end().
 */
quoit_server *example_server(const quoit_server_options *options);

/*
 * Listens on @address, says so, serves until it is stopped, and frees @server. @r: how registering
 * went. Returns what main() does.
 */
int example_serve(quoit_server *server, int r, const char *address);

/* The rest of it, for a server that listens on @address already. */
int example_run(quoit_server *server, const char *address);

/* The last line said on stderr, and what main() returns then. */
int example_fail(quoit_server *server);

/* Frees @server, and says what is left to be said. Returns @status. */
int example_end(quoit_server *server, int status);

/* The program's only argument, or the address it listens on without. */
const char *example_address(int argc, char **argv);
