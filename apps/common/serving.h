/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/server.h>

/*
 * Runs @server until SIGTERM or SIGINT stops it gracefully; a second one cancels calls that still run. Logs the addresses that it listens
 * on. Once a process. NULL, or what went wrong, which lives as long as @server.
 */
const char *serve_until_stopped(quoit_server *server);
