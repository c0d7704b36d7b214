/* SPDX-License-Identifier: MIT */
/* What a server counts, from all its rings: <quoit/statistics.h>. Any thread. */
#include <quoit/statistics.h>

#include "core/thread.h"
#include "server/server.h"
#include "server/shard.h"

/* 0 before all are set up: the caller can be on any thread. */
static unsigned rings_in_use(const quoit_server *server)
{
        return atomic_load(&server->has_begun) ? server->options.rings : 0;
}

void quoit_server_get_statistics(
        const quoit_server *server, quoit_server_statistics *ret_statistics)
{
        quoit_server_statistics statistics = {
                .connections_accepted = atomic_load(&server->connections_accepted),
                .connections_refused = atomic_load(&server->connections_refused),
                .connections_open = rings_in_use(server) > 0 ? shards_load(server) : 0,
                .memory_bytes_max = server->options.limits.memory_bytes_max,
        };
        uint64_t ended;

        for (unsigned i = 0; i < rings_in_use(server); i++) {
                const struct call_counts *counts = &server->shards[i].base.host.counts;
                const struct room *room = &server->shards[i].base.host.room;
                uint64_t last_ns = counter_read(&counts->last_ns);

                statistics.calls_refused += atomic_load(&server->shards[i].base.host.refused);
                statistics.memory_refusals += atomic_load(&room->refused);
                statistics.memory_bytes += room_used_bytes(room);
                statistics.calls_succeeded += counter_read(&counts->succeeded);
                statistics.calls_failed += counter_read(&counts->failed);
                statistics.calls_started += counter_read(&counts->started);
                if (last_ns > statistics.last_call_ns)
                        statistics.last_call_ns = last_ns;
        }
        ended = statistics.calls_succeeded + statistics.calls_failed;
        if (statistics.calls_started > ended) /* they were not read at one moment */
                statistics.calls_open = statistics.calls_started - ended;
        *ret_statistics = statistics;
}

bool quoit_server_get_ring(
        const quoit_server *server, unsigned index, quoit_ring_statistics *ret_statistics)
{
        const struct shard *shard = server->shards + index;

        if (index >= rings_in_use(server))
                return false;
        *ret_statistics = (quoit_ring_statistics){
                .turns = counter_read(&shard->turns),
                .cpu_ns = thread_cpu_ns(shard->tid),
                .connections_open = atomic_load_explicit(&shard->load, memory_order_relaxed),
                .calls_open = call_counts_open(&shard->base.host.counts),
                .memory_bytes = room_used_bytes(&shard->base.host.room),
        };
        if (ret_statistics->calls_open > INT64_MAX) /* they were not read at one moment */
                ret_statistics->calls_open = 0;
        return true;
}

/* The ring whose next id is the lowest. */
static unsigned lowest(const uint64_t *next, unsigned rings)
{
        unsigned best = 0;

        for (unsigned i = 1; i < rings; i++) {
                if (next[i] < next[best])
                        best = i;
        }
        return best;
}

/* Merges the ids of all rings, each in order. Reads one connection at a time, so that no ring waits for a whole page. */
size_t quoit_server_get_connections(const quoit_server *server, uint64_t id_min,
        quoit_connection_statistics *connections, size_t capacity)
{
        unsigned rings = rings_in_use(server);
        uint64_t next[QUOIT_RINGS_MAX];
        size_t count = 0;

        for (unsigned i = 0; i < rings; i++)
                next[i] = census_next(&server->shards[i].census, id_min);
        while (rings > 0 && count < capacity) {
                unsigned ring = lowest(next, rings);
                struct census *census = &server->shards[ring].census;

                if (next[ring] == CENSUS_NONE)
                        break;
                count += census_read(census, next[ring], connections + count);
                next[ring] = census_next(census, next[ring] + 1);
        }
        return count;
}
