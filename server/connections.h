/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server's connections, with what link/ does not know: how they reach a shard, what they count for, what is logged of
 * them, and how they end.
 */

#include "link/census.h"
#include "link/connection.h"
#include "server/admission.h"
#include "server/shard.h"

struct server_connection {
        struct connection connection;
        struct census_entry census;
        struct admitted admitted;
};

static inline struct shard *shard_of_connection(const struct connection *connection)
{
        return connection->group.host->user;
}

/* Gives @arrival, accepted on @from and admitted, to the shard with the fewest connections. On @from's thread. */
void connections_place(struct shard *from, const struct arrival *arrival);

/* Not those of clients on the same ring: how they end is their owner's matter. */
void connections_for_each(struct shard *shard, void (*fn)(struct connection *connection));

/* Whether there is one of these that is not freed. */
bool connections_any(const struct shard *shard);

/* Ends all calls with UNAVAILABLE. Each connection closes when that was sent. */
void connections_cancel_calls(struct shard *shard);
