/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the examples: a server on the command line's address, until SIGTERM or SIGINT. */

#include <quoit/quoit.h>

/* Writes lines to stderr, on a thread of its own, so that no ring waits. */
extern quoit_log_writer *example_log;

/*
 * First in main(). Returns a server that logs to stderr; ends the program if that fails. Pass it to example_serve() or
 * example_end().
 */
quoit_server *example_server(const quoit_server_options *options);

/*
 * Listens on @address, logs that, serves until it is stopped, and frees @server. @r: the result of registering. Returns
 * main()'s status.
 */
int example_serve(quoit_server *server, int r, const char *address);

/* The same for a server that listens on @address already. */
int example_run(quoit_server *server, const char *address);

/* Logs an error as the last line on stderr, and returns main()'s status. */
int example_fail(quoit_server *server);

/* Frees @server and writes the rest of the log. Returns @status. */
int example_end(quoit_server *server, int status);

/* The program's only argument, or the default address. */
const char *example_address(int argc, char **argv);
