/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connections of a ring that belong to one owner, for threads that ask for statistics: <quoit/statistics.h>. A connection is in it
 * from its opening until its socket is closed. The ring takes the lock only to add and to remove, and nobody holds it longer than one
 * search.
 *
 * They form a search tree by id, balanced by chance (a treap): each has a random priority, and none is below one of a lower
 * priority. Ids only grow, so new connections are added along the right edge. Nothing is allocated.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/statistics.h>

struct connection;
struct ring;

struct census {
        pthread_mutex_t mutex; /* of the tree; the connections' counters need none */
        struct census_entry *root; /* NULL: there are none */
        uint64_t secret; /* of the priorities: a peer that knew it could make the tree deep */
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

/* Draws the secret from @ring's randomness. Before the first census_add(). */
void census_draw(struct census *census, const struct ring *ring);

void census_deinit(struct census *census);

/* The entry has an id higher than all before it. */
void census_add(struct census *census, struct census_entry *entry);
void census_remove(struct census *census, struct census_entry *entry);

#define CENSUS_NONE UINT64_MAX

/* The lowest id that is at least @id_min; CENSUS_NONE: there is none. Any thread. */
uint64_t census_next(struct census *census, uint64_t id_min);

/* Reads the statistics of the connection with this @id. False: it is gone. Any thread. */
bool census_read(struct census *census, uint64_t id, quoit_connection_statistics *ret_connection);
