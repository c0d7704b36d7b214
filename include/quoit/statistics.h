/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Figures of a running server and of its connections, for whoever shows them: <quoit/channelz.h> serves them to gRPC's own tools.
 * Counting costs a call a few additions; nothing is locked. What is read of several counters may be of different moments.
 *
 * Times are on CLOCK_MONOTONIC, in nanoseconds, 0 for never.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Counters since the server has been made. */
typedef struct quoit_server_statistics {
        uint64_t connections_accepted; /* ever */
        uint64_t connections_refused; /* ever, of those: over a limit of limits.h */
        uint64_t connections_open; /* now */
        uint64_t calls_started; /* ever */
        uint64_t
                calls_refused; /* ever, of those: for want of room, or of time before their deadline */
        uint64_t calls_open; /* now: those whose handlers have not ended */
        uint64_t calls_succeeded; /* ever, with QUOIT_OK */
        uint64_t calls_failed; /* ever, with any other status, or cancelled */
        uint64_t last_call_ns; /* when a call began last */
        uint64_t memory_bytes; /* now: what calls hold, as `memory_bytes_max` counts it */
        uint64_t memory_bytes_max; /* that limit; UINT64_MAX: none */
        uint64_t memory_refusals; /* ever: calls that were refused or ended for want of it */
} quoit_server_statistics;

/* Reads the counters into *@ret_statistics. Any thread. */
QUOIT_API void quoit_server_get_statistics(
        const quoit_server *server, quoit_server_statistics *ret_statistics);

/* An address as quoit_call_peer() spells it, and its end. */
#define QUOIT_ADDRESS_BYTES 128

/* One connection. */
typedef struct quoit_connection_statistics {
        uint64_t id; /* 1, 2, ...: in the order in which they were opened; none comes twice */
        char peer_address[QUOIT_ADDRESS_BYTES]; /* "ipv4:192.0.2.1:50000" */
        char local_address[QUOIT_ADDRESS_BYTES]; /* ours, in the same spelling */
        const char *
                tls_cipher; /* by its name in the IANA's registry; static. NULL: in the clear, or in its handshake */
        uint64_t streams_started; /* by the peer */
        uint64_t streams_succeeded; /* ended in order by both sides */
        uint64_t streams_failed; /* reset, or lost with the connection */
        uint64_t messages_sent; /* that handlers have sent */
        uint64_t messages_received; /* whole */
        uint64_t keepalives_sent; /* PINGs */
        uint64_t last_stream_ns; /* when a stream began last */
        uint64_t last_sent_ns; /* when a message was sent last */
        uint64_t last_received_ns; /* when a whole message had come last */
        /* Flow control of the connection (RFC 9113 section 5.2), as of the last send: */
        int64_t send_window_bytes; /* what we may send before the peer opens it further */
        int64_t receive_window_bytes; /* what the peer may */
} quoit_connection_statistics;

/*
 * Reads the open connections with the lowest ids that are at least @id_min, up to @capacity of them, into @connections, by id;
 * returns how many. The next page begins at the last one's id + 1. Any thread, between quoit_server_run()'s begin and
 * quoit_server_free(). It takes as long as there are connections to read, however many are open; a ring that opens or closes
 * one meanwhile waits for one at most.
 */
QUOIT_API size_t quoit_server_get_connections(const quoit_server *server, uint64_t id_min,
        quoit_connection_statistics *connections, size_t capacity);

QUOIT_END_DECLS
