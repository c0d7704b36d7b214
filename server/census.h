/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connections of a shard for those who ask from other threads: <quoit/statistics.h>. A connection is in it from its opening until
 * its socket is closed. The lock is taken by the ring for that alone, and nobody holds it longer than one search.
 *
 * They are a tree by their ids, kept flat by chance: a priority is drawn for each, and none is below one of a lower priority (a
 * treap). Ids only grow, so that who comes is put somewhere along the right edge; there is nothing to allocate.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/statistics.h>

struct connection;
struct ring;

struct census {
        pthread_mutex_t mutex; /* of the tree; what its members say needs none */
        struct census_entry *root; /* NULL: there are none */
        uint64_t secret; /* of the priorities: a peer that knew them could make the tree deep */
};

/* Of a connection, beside it. */
struct census_entry {
        struct census_entry *lower; /* those with lower ids, and lower priorities */
        struct census_entry *higher;
        uint64_t priority;
        uint64_t id;
        const struct connection *connection;
};

void census_init(struct census *census);

/* The secret, by @ring's chance. Before the first is added. */
void census_draw(struct census *census, const struct ring *ring);

void census_deinit(struct census *census);

/* With an id higher than all before. */
void census_add(struct census *census, struct census_entry *entry);
void census_remove(struct census *census, struct census_entry *entry);

#define CENSUS_NONE UINT64_MAX

/* The lowest id that is at least @id_min; CENSUS_NONE: there is none. Any thread. */
uint64_t census_next(struct census *census, uint64_t id_min);

/* What is known of the connection of that @id. False: it has gone. Any thread. */
bool census_read(struct census *census, uint64_t id, quoit_connection_statistics *ret_connection);
