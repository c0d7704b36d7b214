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
         * One request message, both as it arrives and decompressed; above: RESOURCE_EXHAUSTED. The same for a message that is
         * compressed in more than 1024 blocks plus one for each 127 bytes of this limit: they only keep the decoder busy.
         * Default 4 MiB.
         */
        size_t message_receive_bytes_max;
        /* One answer; above: RESOURCE_EXHAUSTED. Default 2 GiB - 1. */
        size_t message_send_bytes_max;
        /* Smaller answers are not compressed: it would save no packet. Default 256. */
        size_t compress_bytes_min;
        /*
         * Larger answers are not compressed either, unless the method is offloaded: all other calls of the ring would wait.
         * Default 1 MiB, some 10 ms of gzip.
         */
        size_t compress_ring_bytes_max;
        /* Answers queued on a call that still counts as writable. Default 64 KiB. */
        size_t call_queue_bytes_max;
        /*
         * Answers queued on a call whose handler sends without asking quoit_call_writable(). While more than this is queued,
         * the next message, of any size, ends the call with RESOURCE_EXHAUSTED, and the log names the method. Default 32 MiB,
         * and not below call_queue_bytes_max.
         */
        size_t call_queue_bytes_hard_max;

        /* ---- metadata; sizes are name + value + 32 a field (RFC 9113 section 6.5.2) ---- */

        /* Fields of one request; above: RESOURCE_EXHAUSTED. Default 128. */
        uint32_t header_fields_max;
        /*
         * Size of one request's fields, announced to the peer; above: RESOURCE_EXHAUSTED. Of HTTP/1.1 the target counts as well;
         * above: 414 or 431, and the connection is closed. Default 8 KiB.
         */
        uint32_t header_bytes_max;
        /* The same size; above: the stream is reset with ENHANCE_YOUR_CALM. Default 16 KiB, at least header_bytes_max. */
        uint32_t header_bytes_hard_max;
        /* What a handler adds to one call's headers, and to its trailers; above: -E2BIG. Default 16 KiB. */
        size_t metadata_out_bytes_max;

        /* ---- connections ---- */

        /* Connections of the whole server; above: closed at once. Default 65536. */
        uint32_t connections_max;
        /*
         * Connections of one address, which is an IPv4 address or an IPv6 /64; above: closed at once. Default: connections_max,
         * because behind a proxy all have the same address. A server on the internet should have a lower limit.
         */
        uint32_t connections_per_address_max;
        /*
         * Open streams of a connection, announced to the peer (SETTINGS_MAX_CONCURRENT_STREAMS). Together with streams that the
         * peer has reset and whose handlers still run, twice as many are allowed; above: REFUSED_STREAM. Default 128.
         */
        uint32_t streams_max;
        /* How far a client may be ahead on one stream: its flow-control window. Of HTTP/1.1 no more is read. Default 256 KiB. */
        uint32_t stream_window_bytes;
        /* The same for a connection. Default 1 MiB. */
        uint32_t connection_window_bytes;
        /*
         * How large both windows can grow by themselves. They grow on a connection whose bandwidth-delay product is larger, as
         * long as all its streams together stay below `connection_receive_bytes_max`. If this is not above stream_window_bytes,
         * they do not grow. Default 4 MiB.
         */
        uint32_t window_bytes_max;
        /*
         * How large a frame a client may send (SETTINGS_MAX_FRAME_SIZE, RFC 9113 section 6.5.2); above: the connection ends
         * with FRAME_SIZE_ERROR. Clients that use larger frames send large messages in fewer frames, which costs both ends
         * less; but nothing else arrives on the connection while a frame is on its way. 16 384 to 16 777 215. Default 128 KiB.
         */
        uint32_t frame_bytes_max;
        /*
         * The memory of a connection's requests, bookkeeping included: metadata of more than 1024 bytes, unfinished and undelivered
         * messages, and their decompressed and parsed forms, until their handlers are through; above: the call that asks for
         * more gets RESOURCE_EXHAUSTED. A parsed message can be many times larger than what was sent: a number of one byte
         * takes eight, an empty message as much as its type has fields. What takes only time counts too: 128 bytes for each
         * repeated key of a map, and for each further part of a message that is merged. Default 32 MiB.
         */
        size_t connection_receive_bytes_max;
        /*
         * Answers that wait on a connection until the peer takes them; above: its calls neither start nor make more answers
         * until there is room. Enough for streams_max streams whose reader pauses. Default 16 MiB.
         */
        size_t connection_send_bytes_max;
        /* Frames that answer the peer's (PING, SETTINGS, RST_STREAM) and wait to be sent; above: GOAWAY. Default 1000. */
        uint32_t control_queue_max;
        /* CONTINUATION frames of one header block; above: GOAWAY. Default 8. */
        uint32_t continuation_frames_max;
        /* Empty DATA frames in a row; above: GOAWAY ENHANCE_YOUR_CALM. Default 100. */
        uint32_t empty_frames_max;
        /*
         * Streams that the peer resets (CVE-2023-44487), or makes us reset by what it sends on them (CVE-2025-8671), and each
         * header_bytes_max of a header block beyond the first. This many at once ... Default 10 000.
         */
        uint32_t resets_burst_max;
        /*
         * ... and this many a second after that; above: GOAWAY ENHANCE_YOUR_CALM, and all calls of the connection are lost.
         * Honest clients reset calls whose time is over: streams_max calls of 50 ms each are 2560 a second. The cost of resets
         * is bounded in another way: by streams_max, where a call counts until its handler is through. Default 10 000.
         */
        uint32_t resets_per_second;
        /*
         * Frames that are allowed but useless: PRIORITY, frames of unknown types, SETTINGS, GOAWAY, PING answers without a
         * PING, empty DATA, windows opened without need, frames for streams that are over (unless they were on their way when
         * we reset the stream), and requests that contradict themselves. Also each header_fields_max fields of a header block
         * beyond the first: a field of one byte takes time, too. This many at once ... Default 10 000.
         */
        uint32_t glitches_burst_max;
        /*
         * ... and this many a second after that; above: GOAWAY ENHANCE_YOUR_CALM. There are two counts with this limit: one by
         * nghttp2, and one of what nghttp2 does not count. Default 330.
         */
        uint32_t glitches_per_second;
        /*
         * Time from the first byte of a header block, or of HTTP/1.1's request line, to the last byte of the fields; above: the connection is closed. Nothing else can be sent on it
         * meanwhile, and what has come takes memory. UINT32_MAX: no limit. Default 10 000.
         */
        uint32_t header_block_ms;
        /*
         * Time until the TLS handshake is over and the HTTP/2 preface and SETTINGS, or HTTP/1.1's first request with all its fields,
         * have arrived; above: closed. Default 10 000.
         */
        uint32_t handshake_ms;
        /*
         * Bytes of a TLS handshake that are not processed yet, and what the client sent after them; above: closed. While a thread
         * works on the handshake, no more is read from half of it on. HTTP/2 lets a client send 64 KiB of messages by then.
         * Default 128 KiB.
         */
        uint32_t handshake_bytes_max;
        /*
         * How long the peer's TCP may take for one send, of at most turn_bytes_max; above: closed. UINT32_MAX: no limit. Also
         * how long an offloaded handler waits each time for room in its call's queue; above: RESOURCE_EXHAUSTED. Default 60
         * 000.
         */
        uint32_t stall_ms;
        /*
         * How long a peer may keep answers waiting with closed windows while it takes less than `read_bytes_per_second_min` of
         * them; above: the connection is closed, or, if its other calls make progress, only the call whose window is closed
         * ends with RESOURCE_EXHAUSTED. UINT32_MAX: no limit. Default 600 000.
         */
        uint32_t window_stall_ms;
        /*
         * How much a peer with waiting answers must take, on average over `window_stall_ms`. Even a slow link or reader takes
         * more; a peer that opens its window byte by byte only holds memory. Default 100.
         */
        uint32_t read_bytes_per_second_min;
        /*
         * How long a peer may leave a request unfinished while it sends less than `request_bytes_per_second_min` of it. Then its call ends
         * with RESOURCE_EXHAUSTED, at the latest after twice this time. A request is unfinished from its fields to its end, or, where
         * a method takes a stream, from a message's first byte to its last: between two messages a stream may be silent for as long as it
         * likes. UINT32_MAX: no limit. Default 60 000.
         */
        uint32_t request_stall_ms;
        /*
         * How much of an unfinished request a peer must send, on average over `request_stall_ms`. Even a slow link or writer sends more; a
         * peer that sends it byte by byte only holds a call and its memory. Default 100.
         */
        uint32_t request_bytes_per_second_min;

        /* ---- the life of a connection (gRPC's keepalive document, A8, A9); UINT32_MAX: never ---- */

        /* A peer that has sent nothing for this long gets a PING. Default 7 200 000, two hours. */
        uint32_t keepalive_ms;
        /* How long it then has to send anything; above: closed. Default 20 000. */
        uint32_t keepalive_timeout_ms;
        /*
         * How long a client of HTTP/1.1, which has no PINGs, may send nothing between two requests, or within one; above: closed. Load
         * balancers keep a connection for up to 600 s, and must be the ones who end it: a request may be on its way. Default 620 000.
         */
        uint32_t http1_silence_ms;
        /* The shortest interval of a peer's PINGs while it has calls; sooner: a strike. Default 300 000. */
        uint32_t ping_interval_min_ms;
        /* The same while it has none. Default 7 200 000. */
        uint32_t ping_interval_idle_min_ms;
        /*
         * Strikes since the last headers, data or larger window were sent to the peer; above: GOAWAY ENHANCE_YOUR_CALM
         * "too_many_pings". Default 2.
         */
        uint32_t ping_strikes_max;
        /* A connection without calls for this long is ended gracefully. Default never. */
        uint32_t connection_idle_ms;
        /* A connection of this age, plus or minus a tenth, is ended gracefully: its calls may finish ... Default never. */
        uint32_t connection_age_ms;
        /* ... within this time; above: they are cancelled. Default never. */
        uint32_t connection_age_grace_ms;

        /* ---- fairness: what one connection may do in one turn of its ring ---- */

        /* Handlers run. Default 128. */
        uint32_t turn_calls_max;
        /* Bytes sent. Default 256 KiB. */
        uint32_t turn_bytes_max;
        /*
         * Time, in microseconds, for compressing, decompressing, and parsing messages of 64 KiB and more; at least one message.
         * All connections of a ring together have four times as much. Default 1000.
         */
        uint32_t turn_work_us;

        /* ---- the process ---- */

        /*
         * Memory of the calls of all connections together: requests and their parsed forms, answers that wait, metadata, what
         * handlers allocate in their calls, and HTTP/2's bookkeeping. Each ring has an equal part. A connection may hold as
         * much as its ring has left, and a little in any case: of requests a quarter of the ring's part divided by the ring's
         * connections, but 4 KiB at least and 64 KiB at most, and as much of answers. Above: its calls neither start nor make
         * more answers until there is room, and what does not fit ends with RESOURCE_EXHAUSTED, with pushback. So the more is
         * held, the less each connection may hold, and small calls are still served. Not counted: what handlers
         * allocate elsewhere; what is being compressed or decompressed (a message for each ring and worker); TLS's state (some
         * 20 KiB a connection, what is on its way out, and in a handshake up to twice handshake_bytes_max); and free memory
         * that is kept for reuse (in blocks above 64 KiB up to 64 MiB a ring and not more than an eighth of its part, and up to
         * a quarter of what smaller blocks took). The answer that a thread is making may exceed the limit, as its size is not
         * known before. SIZE_MAX: no limit. Default: half of the cgroup's limit, or of the machine's memory.
         */
        size_t memory_bytes_max;
        /*
         * When more than three quarters of a ring's part are held: how long a connection may hold more than 4 KiB without
         * sending or taking an eighth of what it holds; above: those of its calls whose requests are unfinished, metadata
         * included, or whose answers are unread end with RESOURCE_EXHAUSTED. UINT32_MAX: no limit. Default 10 000.
         */
        uint32_t memory_stall_ms;
        /*
         * Calls whose handlers have not ended, or whose answers were not taken. Each ring has an equal part, so that rings need
         * not ask each other; above: RESOURCE_EXHAUSTED, with pushback. Default 262 144.
         */
        uint32_t calls_max;
        /*
         * How long a client should wait before it retries a call that was refused because there was no room, plus or minus a
         * fifth (trailer grpc-retry-pushback-ms of gRPC's proposal A6). Default 1000.
         */
        uint32_t retry_pushback_ms;
        /*
         * Log lines a second about what peers did; after a quiet time, ten seconds' worth at once. Further ones are only
         * counted. Default 10.
         */
        uint32_t peer_log_lines_per_second;
        /* Calls that wait for a worker thread; above: RESOURCE_EXHAUSTED, with pushback. Default 10 000. */
        uint32_t offloaded_max;
        /*
         * How long, in all, a peer that does not take its answers may keep an offloaded handler, and so a worker thread,
         * waiting. Each 64 KiB that it takes earn it a second. Above: its call ends with RESOURCE_EXHAUSTED as soon as another
         * call waits for a worker thread. UINT32_MAX: never. Default 1000.
         */
        uint32_t worker_wait_ms;
        /*
         * Steps of TLS handshakes that wait for a thread. Steps that need no signature go first. For signatures, addresses that
         * have finished a handshake take turns with the networks (an IPv4 /16 or an IPv6 /48) of all others; within each, the
         * newest step is next. Above the limit, either kind may have half of the steps: of the kind that has more, the address or
         * network with most steps waiting has its oldest connection closed. Default 1000.
         */
        uint32_t handshakes_queued_max;
        /* How long a graceful stop waits for running calls before it cancels them. UINT32_MAX: no limit. Default 30 000. */
        uint32_t drain_ms;

        /* ---- handlers; UINT32_MAX: never ---- */

        /*
         * How long a handler may keep its ring, and so all other calls there, waiting; above: the log names its method.
         * Measured to a few milliseconds. Default 100.
         */
        uint32_t slow_handler_ms;
        /*
         * How long the handler of a cancelled call may go on, or hold the call; above: the log names its method, once for each
         * call. Default 30 000.
         */
        uint32_t handler_end_ms;
        /*
         * How long a second quoit_server_stop() waits for the handlers of held calls, which it has cancelled; above: the calls
         * are given up (call.h says what that means), and their methods are logged. Default 1000.
         */
        uint32_t stop_hold_ms;
} quoit_limits;
