/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One ring with all that lives on it: one thread's share of the server. Shards share only the server's fixed parts and a few
 * counters. The first one accepts connections and hands each to the shard with the fewest.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/listener.h"
#include "link/base.h"
#include "link/census.h"
#include "server/server.h"

struct shard {
        struct quoit_server *server;
        pthread_t thread;
        pid_t tid; /* of whoever runs it, the caller of quoit_server_run() for the first */
        counter turns; /* of its ring */
        struct base base;
        struct base_slab connections;
        struct census census;
        struct listener listeners[SERVER_LISTENERS_MAX]; /* on the first shard */
        uint64_t backoff_logged_ns; /* when it was logged that nothing can be accepted */
        unsigned stops_seen;
        unsigned drains_seen;
        bool hooks_seen; /* on_stop of the hooks has run, and this shard knows */
        struct timer drain; /* the time limit of a graceful stop */
        bool is_idle; /* stopped, and nothing of the server's own is left */
        bool guests_stopped; /* nor on the other shards: clients on this ring are told to end */
        bool drain_is_over; /* that limit is over, or it was stopped twice: calls are cancelled */
        struct timer holds; /* stopped twice: the time limit for calls that are held */
        bool is_broken; /* its ring failed while it ran */
        bool gives_up; /* that limit is over */
        struct list given_up; /* calls */
        struct list given_up_connections;
        atomic_bool wakeable;
        atomic_uint load; /* connections, including those that are being handed over */
        uint32_t calls_max; /* its part of limits.calls_max */
};

/* Entries of a ring's submission queue where memory is short: a turn that queues more costs more submits. */
#define SHARD_ENTRIES_MIN 256

/*
 * Sets the ring up, meets the other shards, and starts to accept if it is the first. False: a shard has failed, as the
 * meeting knows, and this one is torn down. On the thread that runs the ring, like all functions below.
 */
bool shard_start(struct shard *shard);

/*
 * One turn of its ring. 1; 0: it was stopped and has ended, the first shard after all others; a negative errno: the ring
 * failed, and all other shards are being stopped. After 0 or an error, call shard_end().
 */
int shard_turn(struct shard *shard, uint64_t timeout_ns);

/* Meets the other shards and tears down. @r: the last result of shard_turn(). */
void shard_end(struct shard *shard, int r);

/* Its number, from 0 on. */
static inline unsigned shard_index(const struct shard *shard)
{
        return shard->base.host.index;
}

/* Frees what stays until the server is freed: calls that were given up, and their arenas. */
void shard_free_unfinished(struct shard *shard);

/* All of these, for the thread of a shard. */
void shard_run(struct shard *shard);

/* The connections of all shards, including those that are being handed over. Any thread. */
uint64_t shards_load(const struct quoit_server *server);
