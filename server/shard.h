/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One ring with all that lives on it: its thread's share of the server. Shards share nothing but the
 * server's fixed parts; the first one accepts connections and hands them to the one with the fewest.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/listener.h"
#include "link/base.h"
#include "server/census.h"
#include "server/server.h"

struct shard {
        struct quoit_server *server;
        pthread_t thread;
        struct base base;
        struct slab connections;
        struct census census;
        struct listener listeners[SERVER_LISTENERS_MAX]; /* on the first shard */
        uint64_t backoff_told_ns; /* the log was, that nothing can be accepted */
        unsigned stops_seen;
        unsigned drains_seen;
        bool hooks_seen; /* to have been told of the stop */
        struct timer drain; /* the limit of a graceful stop */
        bool drain_is_over; /* past it, or stopped twice: calls are cancelled */
        struct timer holds; /* stopped twice: how long calls that are held are waited for */
        bool gives_up; /* that time is over */
        struct list given_up; /* calls */
        struct list given_up_connections;
        atomic_bool wakeable;
        atomic_uint load; /* connections, those on their way included */
        uint32_t calls_max; /* its part of the limit of that name */
};

/* Entries of a ring's submission queue where memory is short: a turn that queues more costs more submits. */
#define SHARD_ENTRIES_MIN 256

/*
 * Sets up, meets the other shards, and begins to listen if it is the first. False: one of them has failed, which the server
 * hears at the meeting; then it is torn down. On the thread that is to be the ring's, as all that follows.
 */
bool shard_start(struct shard *shard);

/*
 * One turn of its ring. 1; 0: it was stopped, and is over, the first shard after all others; or the negative errno that its
 * ring broke with, and then all others are being stopped. After these two comes shard_end().
 */
int shard_turn(struct shard *shard, uint64_t timeout_ns);

/* Meets the other shards and tears down. @r: what shard_turn() returned last. */
void shard_end(struct shard *shard, int r);

/* What has to stay until the server is freed: calls that were given up, and what they lie in. */
void shard_free_rest(struct shard *shard);

/* All of this, for the thread of a shard. */
void shard_run(struct shard *shard);

/* How many connections there are on all shards, those on their way included. Any thread. */
uint64_t shards_load(const struct quoit_server *server);
