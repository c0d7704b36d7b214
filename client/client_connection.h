/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection as the client owns it. What happens inside nghttp2's callbacks is only noted there; the subchannel hears of it in the
 * turn's dispatch phase. A connection that takes no more calls has left its subchannel, and ends with the last of its calls.
 */

#include <stdbool.h>

#include <quoit/log.h>

#include "link/census.h"
#include "link/connection.h"
#include "link/workers.h"

struct client;
struct subchannel;

#define CLIENT_CONNECTION_WHY_BYTES 256

struct client_connection {
        struct connection connection;
        struct census_entry census;
        struct client *client;
        struct subchannel *subchannel; /* NULL: it takes no new calls */
        struct turn turn; /* with the client's handshakers */
        struct list sibling; /* in the subchannel, once it is ready, while it takes calls */
        struct list noted; /* in the client, while there is something to tell */
        bool is_ready; /* the server's SETTINGS have arrived, ... */
        uint64_t ready_ns; /* ... and the subchannel knew that from here on */
        bool is_leaving; /* GOAWAY was received, or no stream ids are left */
        bool has_served; /* a response has begun, other than a health check's */
        quoit_log_level level; /* how bad ... */
        char why[CLIENT_CONNECTION_WHY_BYTES]; /* ... its end is, and what is known about it; "": nothing */
};

static inline struct client_connection *client_connection_of(struct call_group *group)
{
        return CONTAINER_OF(group, struct client_connection, connection.group);
}

/* A connection over @fd, which it takes over, for @subchannel. 0 or a negative errno: @fd is the caller's then. */
int client_connection_open(
        struct subchannel *subchannel, int fd, struct client_connection **ret_connection);

/* It takes no new calls; those that run finish. */
void client_connection_leave(struct client_connection *connection);

/* There is something to tell the subchannel. Also inside nghttp2's callbacks. */
void client_connection_note(struct client_connection *connection);

/* Tells it. In the dispatch phase. */
void client_connection_tell(struct client_connection *connection);

/* Keeps the first reason for its end. */
void client_connection_note_why(struct client_connection *connection, quoit_log_level level,
        const char *format, ...) __attribute__((format(printf, 3, 4)));
