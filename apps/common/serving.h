/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/server.h>

/*
 * Runs @server until SIGTERM or SIGINT stops it gracefully; a second one cancels calls that still run. Logs the addresses that it listens
 * on; those from @admin_first on are operators'. Tells systemd, where it asks. Once a process. NULL, or what went wrong, which lives as
 * long as @server.
 */
const char *serve_until_stopped(quoit_server *server, unsigned admin_first);
