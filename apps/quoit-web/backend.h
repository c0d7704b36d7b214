/* SPDX-License-Identifier: MIT */
#pragma once

/* The way to the backend: Quoit's client on the rings of our own server, so a call that is passed on changes no thread. */

#include <stdbool.h>

#include <quoit/client.h>
#include <quoit/server.h>

#include "figures.h"

struct backend {
        const char *target;
        quoit_client *client;
        quoit_channel *channel;
        struct figures figures; /* of all calls to it */
};

/*
 * Before @server starts. Ends with it, whatever it has: backend_deinit() is after that. NULL in @ca_file: without TLS. False: it failed,
 * and the error was logged.
 */
bool backend_init(
        struct backend *backend, quoit_server *server, const char *target, const char *ca_file);

/* No-op if it is all zeros. */
void backend_deinit(struct backend *backend);

/* The name of the connection's state. Somebody looks: without a connection, one is begun. On a ring. */
const char *backend_look(struct backend *backend);
