/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who is let in, and who is told to come back later: connections by their number and by their address, calls by their
 * number, by their method's, and by whether a worker will be free before their deadline.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/tls.h>

#include "core/endpoint.h"

struct address_load;
struct quoit_call;
struct quoit_server;
struct shard;

/* A connection that was let in, as its shard counts it. Until admission_leave(). */
struct admitted {
        struct address_load *address; /* NULL: not counted by address */
};

/* A connection between its accept and its opening, which may be another shard's. */
struct arrival {
        int fd;
        struct endpoint peer; /* as it was told with the accept */
        quoit_tls *tls; /* of its listener; NULL: none */
        struct admitted admitted;
};

/* May @arrival, just accepted on @shard, stay? It is `admitted` then. Otherwise closed by the caller; the log hears of it. */
bool admission_enter(struct shard *shard, struct arrival *arrival);

/* Its address' turn with the threads for handshakes; all peers without an address share one. */
uint64_t *admission_turn(struct quoit_server *server, const struct admitted *admitted);

/* The connection is over, or could not be made. @shard: where it lives, or was to. */
void admission_leave(struct shard *shard, const struct admitted *admitted);

/* May the call, whose request is in order, begin? False: it was refused. */
bool admission_begin_call(struct quoit_call *call, struct shard *shard);

/* May it wait for a worker? False: it was refused. */
bool admission_wait_for_worker(struct quoit_call *call, struct quoit_server *server);
