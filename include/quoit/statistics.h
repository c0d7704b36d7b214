/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Statistics of a running server and of its connections. <quoit/channelz.h> serves them to gRPC's own tools. Counting costs a
 * call a few additions and no lock. Counters that are read together may be of slightly different moments.
 *
 * Times are on CLOCK_MONOTONIC, in nanoseconds, 0 for never.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Counters since the server was made. */
typedef struct quoit_server_statistics {
        uint64_t connections_accepted; /* ever */
        uint64_t
                connections_refused; /* ever, part of connections_accepted: over a limit of limits.h */
        uint64_t connections_open; /* now */
        uint64_t calls_started; /* ever */
        uint64_t
                calls_refused; /* ever, part of calls_started: no room, or no time before their deadline */
        uint64_t calls_open; /* now: calls whose handlers have not ended */
        uint64_t calls_succeeded; /* ever, with QUOIT_OK */
        uint64_t calls_failed; /* ever, with any other status, or cancelled */
        uint64_t last_call_ns; /* when the last call began */
        uint64_t memory_bytes; /* now: memory that calls hold, as `memory_bytes_max` counts it */
        uint64_t memory_bytes_max; /* that limit; UINT64_MAX: none */
        uint64_t
                memory_refusals; /* ever: calls that were refused or ended because memory was short */
} quoit_server_statistics;

/* Reads the counters into *@ret_statistics. Any thread. */
QUOIT_API void quoit_server_get_statistics(
        const quoit_server *server, quoit_server_statistics *ret_statistics);

/* One of the server's rings. */
typedef struct quoit_ring_statistics {
        uint64_t turns; /* ever: each waits, then does what has come */
        uint64_t
                cpu_ns; /* of its thread, ever; its growth a second is how busy it is. 0: not known */
        uint64_t connections_open; /* now */
        uint64_t calls_open; /* now: calls whose handlers have not ended */
        uint64_t memory_bytes; /* now: its part of quoit_server_statistics.memory_bytes */
} quoit_ring_statistics;

/* Reads the counters of ring @index, from 0 on, into *@ret_statistics. False: there is none, or it does not run yet. Any thread. */
QUOIT_API bool quoit_server_get_ring(
        const quoit_server *server, unsigned index, quoit_ring_statistics *ret_statistics);

/* The size of an address as quoit_call_peer() spells it, with its zero. */
#define QUOIT_ADDRESS_BYTES 128

/* One connection. */
typedef struct quoit_connection_statistics {
        uint64_t id; /* 1, 2, ...: in the order in which they were opened; never used again */
        char peer_address[QUOIT_ADDRESS_BYTES]; /* "ipv4:192.0.2.1:50000" */
        char local_address[QUOIT_ADDRESS_BYTES]; /* ours, in the same spelling */
        const char *
                tls_cipher; /* its IANA name; static. NULL: without TLS, or still in the handshake */
        uint64_t streams_started; /* by the peer */
        uint64_t streams_succeeded; /* ended normally by both sides */
        uint64_t streams_failed; /* reset, or lost with the connection */
        uint64_t messages_sent; /* that handlers have sent */
        uint64_t messages_received; /* whole */
        uint64_t keepalives_sent; /* PINGs */
        uint64_t last_stream_ns; /* when the last stream began */
        uint64_t last_sent_ns; /* when the last message was sent */
        uint64_t last_received_ns; /* when the last message was whole */
        /* Flow control of the connection (RFC 9113 section 5.2) at the time of the last send: */
        int64_t send_window_bytes; /* how much we may send before the peer opens it further */
        int64_t receive_window_bytes; /* how much the peer may send */
} quoit_connection_statistics;

/*
 * Reads open connections with ids of at least @id_min, the lowest first, up to @capacity of them, into @connections; returns
 * how many. The next page begins at the last one's id + 1. Any thread, from the begin of quoit_server_run() until
 * quoit_server_free(). The time depends on how many connections are read, not on how many are open; a ring that opens or closes
 * a connection meanwhile waits at most for the reading of one.
 */
QUOIT_API size_t quoit_server_get_connections(const quoit_server *server, uint64_t id_min,
        quoit_connection_statistics *connections, size_t capacity);

QUOIT_END_DECLS
