/* SPDX-License-Identifier: MIT */
#include "link/census.h"

#include <string.h>

#include "core/ring.h"
#include "link/connection.h"

_Static_assert(PEER_ADDRESS_BYTES == QUOIT_ADDRESS_BYTES, "addresses are copied whole");

void census_init(struct census *census)
{
        pthread_mutex_init(&census->mutex, NULL);
        census->root = NULL;
        census->secret = 0;
}

void census_draw(struct census *census, const struct ring *ring)
{
        /* without randomness a peer can make searches slow, no more */
        (void)ring_random(ring, &census->secret, sizeof(census->secret));
}

void census_deinit(struct census *census)
{
        pthread_mutex_destroy(&census->mutex);
}

/* ---- the tree ---- */

/* Each bit of the id and the secret changes all bits of the result: one priority says nothing about the next. */
static uint64_t draw(uint64_t secret, uint64_t id)
{
        uint64_t x = secret ^ (id * 0x9e3779b97f4a7c15u);

        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
}

void census_add(struct census *census, struct census_entry *entry)
{
        struct census_entry **at = &census->root;

        entry->priority = draw(census->secret, entry->id);
        entry->higher = NULL;
        pthread_mutex_lock(&census->mutex);
        while (*at && (*at)->priority > entry->priority)
                at = &(*at)->higher;
        entry->lower = *at;
        *at = entry;
        pthread_mutex_unlock(&census->mutex);
}

/* Puts two trees, all of @lower's ids below all of @higher's, at *@at. */
static void join(struct census_entry **at, struct census_entry *lower, struct census_entry *higher)
{
        while (lower && higher) {
                if (lower->priority > higher->priority) {
                        *at = lower;
                        at = &lower->higher;
                        lower = *at;
                } else {
                        *at = higher;
                        at = &higher->lower;
                        higher = *at;
                }
        }
        *at = lower ? lower : higher;
}

void census_remove(struct census *census, struct census_entry *entry)
{
        struct census_entry **at = &census->root;

        pthread_mutex_lock(&census->mutex);
        while (*at != entry)
                at = entry->id < (*at)->id ? &(*at)->lower : &(*at)->higher;
        join(at, entry->lower, entry->higher);
        pthread_mutex_unlock(&census->mutex);
}

/* The one with the lowest id that is at least @id_min; NULL: none. Under the lock. */
static const struct census_entry *search(const struct census *census, uint64_t id_min)
{
        const struct census_entry *found = NULL;

        for (const struct census_entry *entry = census->root; entry;) {
                if (entry->id >= id_min)
                        found = entry;
                entry = entry->id >= id_min ? entry->lower : entry->higher;
        }
        return found;
}

/* ---- reading ---- */

static quoit_connection_statistics describe(const struct census_entry *entry)
{
        const struct connection *connection = entry->connection;
        const struct stream_counts *counts = &connection->group.counts;
        quoit_connection_statistics to = {
                .id = entry->id,
                .tls_cipher =
                        atomic_load_explicit(&connection->counts.tls_cipher, memory_order_relaxed),
                .streams_started = counter_read(&counts->started),
                .streams_succeeded = counter_read(&counts->succeeded),
                .streams_failed = counter_read(&counts->failed),
                .messages_sent = counter_read(&counts->messages_sent),
                .messages_received = counter_read(&counts->messages_received),
                .keepalives_sent = counter_read(&connection->counts.keepalives_sent),
                .last_stream_ns = counter_read(&counts->last_started_ns),
                .last_sent_ns = counter_read(&counts->last_sent_ns),
                .last_received_ns = counter_read(&counts->last_received_ns),
                .send_window_bytes = (int64_t)counter_read(&connection->counts.send_window_bytes),
                .receive_window_bytes =
                        (int64_t)counter_read(&connection->counts.receive_window_bytes),
        };

        memcpy(to.peer_address, connection->peer.address, sizeof(to.peer_address));
        memcpy(to.local_address, connection->peer.local, sizeof(to.local_address));
        return to;
}

uint64_t census_next(struct census *census, uint64_t id_min)
{
        const struct census_entry *entry;
        uint64_t id;

        pthread_mutex_lock(&census->mutex);
        entry = search(census, id_min);
        id = entry ? entry->id : CENSUS_NONE;
        pthread_mutex_unlock(&census->mutex);
        return id;
}

bool census_read(struct census *census, uint64_t id, quoit_connection_statistics *ret_connection)
{
        const struct census_entry *entry;
        bool found;

        pthread_mutex_lock(&census->mutex);
        entry = search(census, id);
        found = entry && entry->id == id;
        if (found)
                *ret_connection = describe(entry);
        pthread_mutex_unlock(&census->mutex);
        return found;
}
