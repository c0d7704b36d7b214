/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connections of a server, as link/ does not know them: how they come to a shard, what they count for, what the log hears of
 * them, and how they end.
 */

#include "link/connection.h"
#include "server/admission.h"
#include "server/census.h"
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

/* Hands @arrival, freshly accepted on @from and admitted, to the shard with the fewest connections. On @from's thread. */
void connections_place(struct shard *from, const struct arrival *arrival);

void connections_for_each(struct shard *shard, void (*fn)(struct connection *connection));

/* Their calls end with UNAVAILABLE, and they close when that was sent. */
void connections_cancel_calls(struct shard *shard);
