/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Limits on connections, by number and by address, and on calls: by number, by method, and by whether a worker will be free
 * before their deadline.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/endpoint.h"

struct address_load;
struct quoit_call;
struct quoit_server;
struct server_listener;
struct shard;
struct turn;

/* What an admitted connection counts for, until admission_leave(). */
struct admitted {
        struct address_load *address; /* NULL: not counted by address */
};

/* A connection between its accept and its opening, which can be on another shard. */
struct arrival {
        int fd;
        struct endpoint peer; /* as reported with the accept */
        const struct server_listener *listener; /* that it came in by */
        struct admitted admitted;
};

/*
 * Whether @arrival, just accepted on @shard, may stay. Then its `admitted` is set; otherwise the reason is logged and the
 * caller closes it.
 */
bool admission_enter(struct shard *shard, struct arrival *arrival);

/* Counts and logs that @arrival is closed, and @why. False. */
bool admission_refuse(struct shard *shard, const struct arrival *arrival, const char *why);

/* The turn of its address with the threads for handshakes. All peers without an IP address share one. */
struct turn *admission_turn(struct quoit_server *server, const struct admitted *admitted);

/* The connection is closed, or could not be opened. @shard: where it lives, or was to live. */
void admission_leave(struct shard *shard, const struct admitted *admitted);

/* Whether the call, whose request is valid, may begin. False: it was refused. */
bool admission_begin_call(struct quoit_call *call, struct shard *shard);

/* Whether it may wait for a worker. False: it was refused. */
bool admission_wait_for_worker(struct quoit_call *call, struct quoit_server *server);
