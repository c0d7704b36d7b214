/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that a peer can make grow, with a name and a default. A member left 0 takes its default.
 */

#include <stddef.h>
#include <stdint.h>

/* All limits of one server, for quoit_server_options. */
typedef struct quoit_limits {
        /* ---- messages ---- */

        /*
         * One request message, as it comes and decompressed; above: RESOURCE_EXHAUSTED. The same for one that is compressed in more
         * blocks than 1024 and one for each 127 bytes of this, which only keep the decoder busy. Default 4 MiB.
         */
        size_t message_receive_bytes_max;
        /* One answer; above: RESOURCE_EXHAUSTED. Default 2 GiB - 1. */
        size_t message_send_bytes_max;
        /* An answer that is smaller is not compressed: it would save no packet. Default 256. */
        size_t compress_bytes_min;
        /*
         * Nor is one that is larger, unless the method is offloaded: it would keep all calls of its ring waiting. Default
         * 1 MiB, some 10 ms of gzip.
         */
        size_t compress_ring_bytes_max;
        /* Answers queued on a call that still counts as writable. Default 64 KiB. */
        size_t call_queue_bytes_max;
        /*
         * Answers queued on a call whose handler sends without asking quoit_call_writable(). A message that comes on top of more
         * than this, of whatever size, ends the call with RESOURCE_EXHAUSTED, and the log names the method. Default 32 MiB, and
         * not below call_queue_bytes_max.
         */
        size_t call_queue_bytes_hard_max;

        /* ---- metadata; sizes are name + value + 32 a field (RFC 9113 section 6.5.2) ---- */

        /* Fields of one request; above: RESOURCE_EXHAUSTED. Default 128. */
        uint32_t header_fields_max;
        /* Size of one request's fields, announced to the peer; above: RESOURCE_EXHAUSTED. Default 8 KiB. */
        uint32_t header_bytes_max;
        /* The same; above: the stream is reset with ENHANCE_YOUR_CALM. Default 16 KiB, at least header_bytes_max. */
        uint32_t header_bytes_hard_max;
        /* What a handler adds to one call's headers, and to its trailers; above: -E2BIG. Default 16 KiB. */
        size_t metadata_out_bytes_max;

        /* ---- connections ---- */

        /* Of the whole server; above: closed at once. Default 65536. */
        uint32_t connections_max;
        /*
         * Of one address, which is an IPv4 address or an IPv6 /64; above: closed at once. Default as connections_max: behind
         * a proxy all come from one. A server that faces the internet wants it lower.
         */
        uint32_t connections_per_address_max;
        /*
         * Open streams of a connection, announced to the peer (SETTINGS_MAX_CONCURRENT_STREAMS). With those
         * that it has reset and whose handlers still run it may have twice as many; above: REFUSED_STREAM.
         * Default 128.
         */
        uint32_t streams_max;
        /* How far a client may be ahead on one stream (its flow-control window). Default 256 KiB. */
        uint32_t stream_window_bytes;
        /* And on a connection. Default 1 MiB. */
        uint32_t connection_window_bytes;
        /*
         * Up to where both grow by themselves, on a connection whose bandwidth × delay is larger than they are, and as long
         * as all its streams together stay below `connection_receive_bytes_max`. Not above the window of a stream: they
         * stay as they are. Default 4 MiB.
         */
        uint32_t window_bytes_max;
        /*
         * How large a frame a client may send (SETTINGS_MAX_FRAME_SIZE, RFC 9113 section 6.5.2); above: the connection ends with
         * FRAME_SIZE_ERROR. Clients that make use of it send large messages in fewer frames, which costs both ends less, but
         * while a frame is on its way nothing else comes on its connection. 16 384 to 16 777 215. Default 128 KiB.
         */
        uint32_t frame_bytes_max;
        /*
         * What a connection's requests hold, bookkeeping included: unfinished and undelivered messages, and what they become
         * when they are decompressed and parsed, while they do and as long as their handlers have them; above: the
         * call that asks for more gets RESOURCE_EXHAUSTED. Parsed, a message may be many times what was sent: numbers
         * of one byte take eight, an empty message as much as its type has fields. What only takes time counts too: 128 bytes
         * for a map's key that came before, or a further part of a message to be merged. Default 32 MiB.
         */
        size_t connection_receive_bytes_max;
        /*
         * Answers that wait on a connection for the peer to take them; above: its calls wait with starting and with
         * making more. Room for streams_max streams whose reader pauses. Default 16 MiB.
         */
        size_t connection_send_bytes_max;
        /* Frames in answer to the peer's (PING, SETTINGS, RST_STREAM) that wait to be sent; above: GOAWAY. Default 1000. */
        uint32_t control_queue_max;
        /* CONTINUATION frames of one header block; above: GOAWAY. Default 8. */
        uint32_t continuation_frames_max;
        /* Empty DATA frames in a row; above: GOAWAY ENHANCE_YOUR_CALM. Default 100. */
        uint32_t empty_frames_max;
        /*
         * Streams that the peer resets (CVE-2023-44487), or makes us reset by what it sends on them (CVE-2025-8671), and
         * each header_bytes_max of a header block beyond the first: this many at once ... Default 10 000.
         */
        uint32_t resets_burst_max;
        /*
         * ... and so many a second after that; above: GOAWAY ENHANCE_YOUR_CALM "too_many_resets", with which all calls of the
         * connection are lost. Honest clients reset calls whose time is over: streams_max of 50 ms each are 2560 a second.
         * What a reset costs is bounded otherwise: by streams_max, and a call counts until its handler is through. Default 10 000.
         */
        uint32_t resets_per_second;
        /*
         * What is allowed and of no use: PRIORITY, frames of unknown types, SETTINGS, GOAWAY, answers to no PING, empty DATA,
         * windows that are opened without need, and what comes for streams that are over, unless it was on its way when we
         * reset them; and requests that contradict themselves. This many at once ... Default 10 000.
         */
        uint32_t glitches_burst_max;
        /*
         * ... and so many a second after that; above: GOAWAY ENHANCE_YOUR_CALM. There are two counts, of what nghttp2 sees
         * and of what it overlooks. Default 330.
         */
        uint32_t glitches_per_second;
        /* Until TLS's handshake is over and the HTTP/2 preface and SETTINGS have come; above: closed. Default 10 000. */
        uint32_t handshake_ms;
        /*
         * Bytes of a TLS handshake not yet processed, and what the client sent after them; above: closed. HTTP/2 lets
         * it send 64 KiB of messages by then. Default 128 KiB.
         */
        uint32_t handshake_bytes_max;
        /*
         * How long one send of at most turn_bytes_max may take the peer's TCP; above: closed. UINT32_MAX: for ever. Also how long an
         * offloaded handler waits at once for room in its call's queue; above: RESOURCE_EXHAUSTED. Default 60 000.
         */
        uint32_t stall_ms;
        /*
         * How long a peer may leave answers waiting, by not opening windows, without taking `read_bytes_per_second_min` of
         * them; above: the connection is closed, or, where others of its calls are served meanwhile, the call whose window
         * is shut ends with RESOURCE_EXHAUSTED. UINT32_MAX: for ever. Default 600 000.
         */
        uint32_t window_stall_ms;
        /*
         * What a peer for which answers wait all the time is to take of them, on average over `window_stall_ms`. A slow link or reader takes more,
         * one that opens its window byte by byte only holds memory. Default 100.
         */
        uint32_t read_bytes_per_second_min;

        /* ---- the life of a connection (gRPC's keepalive document, A8, A9); UINT32_MAX: never ---- */

        /* A peer that has said nothing for so long is sent a PING. Default 7 200 000, two hours. */
        uint32_t keepalive_ms;
        /* And is given so long to say anything; above: closed. Default 20 000. */
        uint32_t keepalive_timeout_ms;
        /* How often a peer may send PINGs while it has calls; sooner: a strike. Default 300 000. */
        uint32_t ping_interval_min_ms;
        /* And while it has none. Default 7 200 000. */
        uint32_t ping_interval_idle_min_ms;
        /*
         * Strikes since the last headers, data or larger window were sent to the peer; above: GOAWAY ENHANCE_YOUR_CALM
         * "too_many_pings". Default 2.
         */
        uint32_t ping_strikes_max;
        /* A connection without calls for so long is ended gracefully. Default never. */
        uint32_t connection_idle_ms;
        /* One that has lived so long, give or take a tenth, too: its calls may finish. Default never. */
        uint32_t connection_age_ms;
        /* ... within this time after it; above: they are cancelled. Default never. */
        uint32_t connection_age_grace_ms;

        /* ---- fairness: what one connection may do in one turn of its ring ---- */

        /* Handlers run. Default 128. */
        uint32_t turn_calls_max;
        /* Bytes sent. Default 256 KiB. */
        uint32_t turn_bytes_max;
        /*
         * Time of the ring, in microseconds, that goes into messages which are compressed, decompressed, or of 64 KiB and more
         * and parsed; one message at least. Of all its connections together four times as much. Default 1000.
         */
        uint32_t turn_work_us;

        /* ---- the process ---- */

        /*
         * What all connections' calls hold together: requests and what they become, answers that wait, metadata, what handlers
         * allocate with their calls, and HTTP/2's bookkeeping. Each ring has an equal part. A connection may hold as much as its
         * ring has left, and 64 KiB of requests and 64 KiB of answers in any case; above: its calls wait with
         * starting and with making more, and what does not fit ends with RESOURCE_EXHAUSTED, with pushback. So the more is
         * held the less each may, and who asks for little is served. Not counted: what handlers take elsewhere, what
         * is being compressed or decompressed (a message for each ring and worker), TLS's state (some 30 KiB a connection, and
         * what is on its way out, and in a handshake up to twice handshake_bytes_max), and free memory that is kept for reuse: up
         * to 64 MiB a ring, not more than an eighth of its part, in blocks above 64 KiB, and up to a quarter of what smaller ones took. The
         * answer that a thread is making may go over it, as its size is not known before.
         * SIZE_MAX: no limit. Default half of the memory that there is: of the cgroup's limit, or of the machine.
         */
        size_t memory_bytes_max;
        /*
         * Where more than three quarters of a ring's part are held: how long a connection may hold more than 4 KiB without
         * sending or taking an eighth as much as it holds; above: those of its calls that the peer has left unfinished or
         * unread end with RESOURCE_EXHAUSTED. UINT32_MAX: for ever. Default 10 000.
         */
        uint32_t memory_stall_ms;
        /*
         * Calls whose handlers have not ended, or whose answers were not taken. Each ring has an equal part of them, so that
         * they need not ask each other; above: RESOURCE_EXHAUSTED, with pushback. Default 262 144.
         */
        uint32_t calls_max;
        /*
         * What a call that was refused for want of room is told to wait before it comes again, give or take a fifth (trailer
         * grpc-retry-pushback-ms of gRPC's proposal A6). Default 1000.
         */
        uint32_t retry_pushback_ms;
        /* Lines of the log about what peers did, a second, after a quiet time ten seconds' worth at once; more are counted. Default 10. */
        uint32_t peer_log_lines_per_second;
        /* Calls that wait for a worker thread; above: RESOURCE_EXHAUSTED, with pushback. Default 10 000. */
        uint32_t offloaded_max;
        /*
         * How long a peer that does not take its answers may in all keep an offloaded handler, and so a worker thread, waiting.
         * 64 KiB that it takes pay for a second. Above: its call ends with RESOURCE_EXHAUSTED as soon as another call waits for a
         * worker thread. UINT32_MAX: never. Default 1000.
         */
        uint32_t worker_wait_ms;
        /* Steps of TLS handshakes that wait for a thread (addresses take turns, of each the newest is next); above: the one
         * that has waited longest is closed. Default 1000. */
        uint32_t handshakes_queued_max;
        /* How long a graceful stop waits for running calls before it cancels them, UINT32_MAX: for ever. Default 30 000. */
        uint32_t drain_ms;

        /* ---- handlers: UINT32_MAX is never ---- */

        /*
         * How long a handler may keep its ring, and with it all other calls there; above: the log names its method. To a few
         * milliseconds. Default 100.
         */
        uint32_t slow_handler_ms;
        /*
         * How long the handler of a call that was cancelled may go on, or hold the call; above: the log names its method, once
         * for each call. Default 30 000.
         */
        uint32_t handler_end_ms;
        /*
         * How long a second quoit_server_stop() waits for the handlers of held calls, which it has cancelled; above: they are
         * given up (call.h says what that means), and named in the log. Default 1000.
         */
        uint32_t stop_hold_ms;
} quoit_limits;
