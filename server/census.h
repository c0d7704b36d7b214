/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connections of a shard for those who ask from other threads: <quoit/statistics.h>. A connection is in it from its opening until just before
 * its socket is closed. The lock is taken by the ring for that alone.
 */

#include <pthread.h>
#include <stdint.h>

#include "call/counts.h"
#include "core/list.h"

struct peer;

struct census {
        pthread_mutex_t mutex; /* of the list; what its members say needs none */
        struct list all; /* by id */
};

/* In a connection. */
struct census_entry {
        struct list link;
        uint64_t id;
        const struct peer *peer;
        const struct stream_counts *counts;
        counter keepalives_sent;
        counter send_window_bytes; /* as of the last send */
        counter receive_window_bytes;
        _Atomic(const char *) tls_cipher; /* static; NULL: none */
};

void census_init(struct census *census);

void census_deinit(struct census *census);

/* With an id higher than all before. */
void census_add(struct census *census, struct census_entry *entry);
void census_remove(struct census *census, struct census_entry *entry);
