/* SPDX-License-Identifier: MIT */
#include "server/census.h"

#include <string.h>

#include <quoit/statistics.h>

#include "call/peer.h"
#include "server/shard.h"

_Static_assert(PEER_ADDRESS_BYTES == QUOIT_ADDRESS_BYTES, "addresses are copied whole");

void census_init(struct census *census)
{
        pthread_mutex_init(&census->mutex, NULL);
        list_init(&census->all);
}

void census_deinit(struct census *census)
{
        pthread_mutex_destroy(&census->mutex);
}

void census_add(struct census *census, struct census_entry *entry)
{
        pthread_mutex_lock(&census->mutex);
        list_append(&census->all, &entry->link);
        pthread_mutex_unlock(&census->mutex);
}

void census_remove(struct census *census, struct census_entry *entry)
{
        pthread_mutex_lock(&census->mutex);
        list_remove(&entry->link);
        pthread_mutex_unlock(&census->mutex);
}

/* ---- reading ---- */

static quoit_connection_statistics describe(const struct census_entry *entry)
{
        const struct stream_counts *counts = entry->counts;
        quoit_connection_statistics to = {
                .id = entry->id,
                .tls_cipher = atomic_load_explicit(&entry->tls_cipher, memory_order_relaxed),
                .streams_started = counter_read(&counts->started),
                .streams_succeeded = counter_read(&counts->succeeded),
                .streams_failed = counter_read(&counts->failed),
                .messages_sent = counter_read(&counts->messages_sent),
                .messages_received = counter_read(&counts->messages_received),
                .keepalives_sent = counter_read(&entry->keepalives_sent),
                .last_stream_ns = counter_read(&counts->last_started_ns),
                .last_sent_ns = counter_read(&counts->last_sent_ns),
                .last_received_ns = counter_read(&counts->last_received_ns),
                .send_window_bytes = (int64_t)counter_read(&entry->send_window_bytes),
                .receive_window_bytes = (int64_t)counter_read(&entry->receive_window_bytes),
        };

        memcpy(to.peer_address, entry->peer->address, sizeof(to.peer_address));
        memcpy(to.local_address, entry->peer->local, sizeof(to.local_address));
        return to;
}

/* The lowest ids found so far, in their order. */
struct found {
        quoit_connection_statistics *list;
        size_t count;
        size_t capacity;
};

static bool is_too_high(const struct found *found, uint64_t id)
{
        return found->count == found->capacity &&
               (found->count == 0 || id > found->list[found->count - 1].id);
}

static void insert(struct found *found, const struct census_entry *entry)
{
        size_t at = found->count;

        while (at > 0 && found->list[at - 1].id > entry->id)
                at--;
        if (found->count < found->capacity)
                found->count++;
        memmove(found->list + at + 1, found->list + at,
                (found->count - at - 1) * sizeof(*found->list));
        found->list[at] = describe(entry);
}

static void search(struct census *census, uint64_t id_min, struct found *found)
{
        struct list *link;

        pthread_mutex_lock(&census->mutex);
        for (link = census->all.next; link != &census->all; link = link->next) {
                const struct census_entry *entry = CONTAINER_OF(link, struct census_entry, link);

                if (is_too_high(found, entry->id))
                        break; /* so are all behind it */
                if (entry->id >= id_min)
                        insert(found, entry);
        }
        pthread_mutex_unlock(&census->mutex);
}

/* None before they are all set up: the caller's thread may be any. */
static unsigned rings_in_use(const quoit_server *server)
{
        return atomic_load(&server->has_begun) ? server->options.rings : 0;
}

size_t quoit_server_get_connections(const quoit_server *server, uint64_t id_min,
        quoit_connection_statistics *connections, size_t capacity)
{
        struct found found = { .list = connections, .capacity = capacity };

        for (unsigned i = 0; i < rings_in_use(server); i++)
                search(&server->shards[i].census, id_min, &found);
        return found.count;
}

void quoit_server_get_statistics(
        const quoit_server *server, quoit_server_statistics *ret_statistics)
{
        quoit_server_statistics statistics = {
                .connections_accepted = atomic_load(&server->connections_accepted),
                .connections_refused = atomic_load(&server->connections_refused),
                .connections_open = rings_in_use(server) > 0 ? shards_load(server) : 0,
        };
        uint64_t ended;

        for (unsigned i = 0; i < rings_in_use(server); i++) {
                const struct call_counts *counts = &server->shards[i].host.counts;
                uint64_t last_ns = counter_read(&counts->last_ns);

                statistics.calls_refused += atomic_load(&server->shards[i].host.refused);
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
