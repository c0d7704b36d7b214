/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that a peer can make grow, with a name and a default. A member left 0 takes its default.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct quoit_limits {
        /* -- messages -- */
        size_t message_receive_bytes_max; /* one request message; above: RESOURCE_EXHAUSTED. 4 MiB */
        size_t message_send_bytes_max; /* one answer; above: RESOURCE_EXHAUSTED. 2 GiB - 1 */
        size_t call_queue_bytes_max; /* answers queued on a call while it still counts as writable. 64 KiB */

        /* -- metadata (RFC 9113 section 6.5.2: name + value + 32 bytes a field) -- */
        uint32_t header_fields_max; /* fields of one request; above: RESOURCE_EXHAUSTED. 128 */
        uint32_t header_bytes_max; /* announced, and refused with RESOURCE_EXHAUSTED above. 8 KiB */
        uint32_t header_bytes_hard_max; /* above: the stream is reset unanswered. 16 KiB */
        size_t metadata_out_bytes_max; /* headers, and trailers, that a handler adds to one call, 32 bytes a field included. 16 KiB */

        /* -- connections -- */
        uint32_t connections_max; /* of the whole server; above: closed at once. 65536 */
        uint32_t
                streams_max; /* SETTINGS_MAX_CONCURRENT_STREAMS, and calls alive on a connection, those included
                                              that were reset and whose handler still runs. 128 */
        uint32_t stream_window_bytes; /* how far a client may be ahead on one stream. 256 KiB */
        uint32_t connection_window_bytes; /* and on one connection. 1 MiB */
        size_t connection_receive_bytes_max; /* request bytes held for unfinished or undelivered messages of one connection;
                                              above: the call that asks for more gets RESOURCE_EXHAUSTED. 32 MiB */
        uint32_t
                control_queue_max; /* answers to PING, SETTINGS and RST_STREAM waiting to be sent; above: GOAWAY. 1000 */
        uint32_t
                continuation_frames_max; /* CONTINUATION frames of one header block; above: GOAWAY. 8 */
        uint32_t
                empty_frames_max; /* empty DATA frames in a row on a connection; above: GOAWAY ENHANCE_YOUR_CALM. 100 */
        uint32_t resets_burst_max; /* streams that the peer resets before ... 2000 */
        uint32_t resets_per_second; /* ... this rate applies; above: GOAWAY. 1000 */
        uint32_t handshake_ms; /* until the preface and SETTINGS have come. 10 000 */
        uint32_t
                stall_ms; /* a peer whose TCP takes no byte of what is sent to it; above: closed. 60 000 */
        /* ^ also of an offloaded handler that waits for room in its call's queue: the call ends with RESOURCE_EXHAUSTED */
        uint32_t
                window_stall_ms; /* a peer that opens no flow-control window for answers that wait. 600 000 */

        /* -- fairness: what one connection may do in one turn of its ring -- */
        uint32_t turn_calls_max; /* handlers run. 128 */
        uint32_t turn_bytes_max; /* bytes produced. 256 KiB */

        /* -- the process -- */
        uint32_t
                offloaded_max; /* calls queued for the worker threads; above: RESOURCE_EXHAUSTED. 10 000 */
        uint32_t
                drain_ms; /* a graceful stop waits so long for running calls, then cancels them. 30 000 */
} quoit_limits;
