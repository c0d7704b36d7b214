/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What other threads may see of a client (<quoit/client_statistics.h>): its channels, with their subchannels, by id, and what has
 * happened to them. One lock; rings take it when something changes, never for a call. Connections are in a census of their ring.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/client_statistics.h>

#include "call/counts.h"
#include "core/list.h"

struct trace_event;

/* The last events; under the lock. */
struct trace {
        struct trace_event *events[QUOIT_EVENTS_MAX]; /* in a circle */
        uint64_t count; /* ever */
};

/* Of a channel, or of a subchannel. */
struct record {
        struct list link; /* in the registry, or in the channel's record */
        uint64_t id; /* 0: it is not in the registry */
        uint64_t created_ns; /* its first event; 0: there was none */
        struct trace trace;
};

struct channel_record {
        struct record record;
        struct list subchannels; /* in the order of their ids, as channels are */
};

struct subchannel_record {
        struct record record;
        quoit_channel_state state; /* under the lock, as the next ones are */
        uint64_t connection_ids[QUOIT_CHANNEL_CONNECTIONS_MAX];
        unsigned connection_count;
        struct call_counts counts;
};

struct registry {
        pthread_mutex_t mutex;
        _Atomic uint64_t ids; /* the last one given */
        struct list channels;
};

void registry_init(struct registry *registry);

/* Nothing is in it any more. */
void registry_deinit(struct registry *registry);

/* The next id. Of channels and subchannels the lock is held, so that lists are in order. Any thread. */
static inline uint64_t registry_draw(struct registry *registry)
{
        return atomic_fetch_add_explicit(&registry->ids, 1, memory_order_relaxed) + 1;
}

/* @record is in it from now on. Any thread. */
void registry_add_channel(struct registry *registry, struct channel_record *record);
void registry_add_subchannel(struct registry *registry, struct channel_record *channel,
        struct subchannel_record *record);

static inline bool record_is_added(const struct record *record)
{
        return record->id > 0;
}

/* A subchannel's state, or its connections, are others. */
void registry_set_state(
        struct registry *registry, struct subchannel_record *record, quoit_channel_state state);
void registry_set_connections(struct registry *registry, struct subchannel_record *record,
        const uint64_t *ids, unsigned count);

/* It is not any more. No-op if it was not. Any thread. */
void registry_remove(struct registry *registry, struct record *record);

/* Something has happened to it, as @text says; without memory that is not kept. No-op if it is not in the registry. */
void registry_note(struct registry *registry, struct record *record, quoit_log_level level,
        uint64_t now_ns, const char *text);
