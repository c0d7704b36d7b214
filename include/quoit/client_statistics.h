/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Statistics of a client: its channels, their addresses, and connections. <quoit/channelz.h> serves them to gRPC's own tools. Counting
 * costs a call a few additions and no lock. Counters that are read together may be of slightly different moments.
 *
 * Channels, subchannels and connections have ids: 1, 2, ... in the order in which they were made, unique within the client and never used
 * again. All functions: any thread, while the client lives. They stop no ring: one that has a change to tell waits at most while a page
 * is copied. In a child process of fork() there is nothing to be read.
 *
 * Times are on CLOCK_MONOTONIC, in nanoseconds, 0 for never.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/log.h>
#include <quoit/statistics.h>

QUOIT_BEGIN_DECLS

/* How calls went. */
typedef struct quoit_calls_statistics {
        uint64_t started; /* ever */
        uint64_t succeeded; /* with QUOIT_OK */
        uint64_t failed; /* with any other status, or cancelled */
        uint64_t last_ns; /* when the last one began */
} quoit_calls_statistics;

/* The size of a target, with its zero; longer ones are cut. */
#define QUOIT_TARGET_BYTES 256

/* A channel, all of its rings together. It is there until quoit_channel_free(). */
typedef struct quoit_channel_statistics {
        uint64_t id; /* see above */
        char target[QUOIT_TARGET_BYTES]; /* with its scheme: "dns:///HOST:PORT" */
        quoit_channel_state
                state; /* the best one of its rings, as quoit_channel_get_state() has it */
        quoit_calls_statistics calls; /* as their callers see them */
        uint64_t created_ns; /* when it was made */
        uint64_t events; /* that there have been ever: quoit_client_get_events() */
} quoit_channel_statistics;

/* A subchannel: one address of a channel on one ring. It is there while the name has the address, or calls go on there. */
typedef struct quoit_subchannel_statistics {
        uint64_t id; /* see above */
        char address[QUOIT_ADDRESS_BYTES]; /* "ipv4:192.0.2.1:50051" */
        quoit_channel_state state; /* now */
        quoit_calls_statistics calls; /* attempts that were begun here */
        uint64_t connection_ids
                [QUOIT_CHANNEL_CONNECTIONS_MAX]; /* of its connections, the oldest first, ... */
        unsigned connection_count; /* ... so many */
        uint64_t created_ns; /* when it was made */
        uint64_t events; /* that there have been ever */
} quoit_subchannel_statistics;

/* The size of an event's text, with its zero; longer ones are cut. */
#define QUOIT_EVENT_TEXT_BYTES 256

/* The events that are kept of a channel, or of a subchannel: the last ones. */
#define QUOIT_EVENTS_MAX 16

/* Something that has happened: a change of state, addresses that were found, a failure, the end of a connection. */
typedef struct quoit_client_event {
        uint64_t time_ns; /* when it was */
        quoit_log_level level; /* as in the client's log */
        char text[QUOIT_EVENT_TEXT_BYTES]; /* printable ASCII */
} quoit_client_event;

/*
 * Reads channels with ids of at least @id_min, the lowest first, up to @capacity of them; returns how many. The next page begins at the
 * last one's id + 1.
 */
QUOIT_API size_t quoit_client_get_channels(const quoit_client *client, uint64_t id_min,
        quoit_channel_statistics *channels, size_t capacity);

/* The same of the subchannels of the channel with this id; 0: there is no such channel. */
QUOIT_API size_t quoit_client_get_subchannels(const quoit_client *client, uint64_t channel_id,
        uint64_t id_min, quoit_subchannel_statistics *subchannels, size_t capacity);

/* The subchannel with this id. False: there is none, and *@ret_subchannel is untouched. */
QUOIT_API bool quoit_client_get_subchannel(
        const quoit_client *client, uint64_t id, quoit_subchannel_statistics *ret_subchannel);

/* The connection with this id, from its opening until its socket is closed. False: there is none. The time does not depend on how many
 * there are. */
QUOIT_API bool quoit_client_get_connection(
        const quoit_client *client, uint64_t id, quoit_connection_statistics *ret_connection);

/* The last events of the channel or subchannel with this id, the oldest first, up to @capacity; returns how many. */
QUOIT_API size_t quoit_client_get_events(
        const quoit_client *client, uint64_t id, quoit_client_event *events, size_t capacity);

QUOIT_END_DECLS
