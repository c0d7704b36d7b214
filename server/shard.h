/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One ring with all that lives on it: its thread's share of the server. Shards share nothing but the
 * server's fixed parts; the first one accepts connections and hands them to the one with the fewest.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "call/call.h"
#include "codec/arena.h"
#include "core/buffers.h"
#include "core/listener.h"
#include "core/ring.h"
#include "core/slab.h"
#include "server/server.h"
#include "transport/memory.h"

struct shard {
        struct quoit_server *server;
        pthread_t thread;
        struct ring ring;
        struct buffers buffers;
        struct arena_pool arenas;
        struct memory memory; /* nghttp2's */
        struct slab connections;
        struct slab calls;
        struct slab outputs;
        struct call_host host;
        struct list connection_list;
        struct listener listeners[SERVER_LISTENERS_MAX]; /* on the first shard */
        unsigned stops_seen;
        struct timer drain; /* the limit of a graceful stop */
        atomic_bool wakeable;
        atomic_uint load; /* connections, those on their way included */
        atomic_ullong calls_started;
        atomic_uint calls_open;
};

/*
 * Sets up, meets the other shards, serves until the server stops, tears down. On the thread
 * that is to be the ring's. How it went the server hears at the meetings.
 */
void shard_run(struct shard *shard);

/* How many connections there are on all shards, those on their way included. Any thread. */
uint64_t shards_load(const struct quoit_server *server);

/* Hands @fd, freshly accepted on @from, to the shard with the fewest connections. On @from's thread. */
void shard_place_connection(struct shard *from, int fd);
