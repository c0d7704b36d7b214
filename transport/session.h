/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One HTTP/2 connection (RFC 9113) without a socket, of a server or a client: bytes go in through session_feed(), frames come
 * out through session_fill(). No clock and no I/O, so a test joins two sessions in memory and a
 * fuzzer feeds one. A server's may speak HTTP/1.1 instead, if its client does: http1.h.
 *
 * Events run inside nghttp2's callbacks, where the session must not be fed or filled: they only note
 * work to do, and submit frames. The caller of session_feed() does the noted work afterwards, then fills.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include <quoit/limits.h>

#include "transport/glitches.h"
#include "transport/http1.h"
#include "transport/output.h"
#include "transport/stream.h"

/* A header field; the bytes are valid during the event only. */
struct session_field {
        const char *name;
        size_t name_size;
        const char *value;
        size_t value_size;
};

static inline bool session_field_is(const struct session_field *field, const char *name)
{
        return field->name_size == strlen(name) && memcmp(field->name, name, field->name_size) == 0;
}

/* White space at its ends does not belong to a value (PROTOCOL-HTTP2, ASCII-Value; RFC 9110, section 5.5). Internal to the transport. */
void session_field_strip(struct session_field *field);

/* A stream is reset because its request, or response, is malformed. The strings are valid during the event only. */
struct session_malformed {
        struct stream *stream;
        const char *
                rule; /* the broken rule, static; NULL: each field is good, but not all of them together */
        const char *name; /* of the wrong field; NULL: it is not a single one */
        size_t name_size;
};

struct session_pull {
        size_t size; /* bytes of payload for the next DATA frame; 0 with !last: none now */
        bool last; /* no more after these. A server has submitted trailers; a client's stream ends with this frame */
        bool ends; /* with @last: a server's stream ends with this frame too, without trailers */
};

/* A server's GOAWAY (RFC 9113 section 6.8). The text is valid during the event only. */
struct session_goaway {
        int32_t last_id; /* streams with a larger id were not processed, and never will be */
        uint32_t error_code;
        const char *text; /* for people; can be empty */
        size_t text_size;
};

struct session_events {
        /* Servers: a request begins. Returns its stream, zeroed, or NULL: the stream is refused (REFUSED_STREAM). */
        struct stream *(*on_stream)(void *user);
        /*
         * A field of a header block; not called once the block is oversize. A client's are those of the response and, while
         * stream->has_headers, of the trailers after it. A server's are those of the request; its trailers are skipped.
         */
        void (*on_field)(struct stream *stream, const struct session_field *field);
        /*
         * The header block is complete. For a client also after trailers, then with stream->has_headers. If stream->block_ends,
         * on_end is next: after trailers, or a response with its status in the first block (trailers-only).
         */
        void (*on_headers)(struct stream *stream, bool oversize);
        /* DATA, in order. The bytes count against the stream's window until stream_consume(). */
        void (*on_data)(struct stream *stream, const uint8_t *data, size_t size);
        /* The peer has ended its side (END_STREAM). */
        void (*on_end)(struct stream *stream);
        /* How many bytes, up to @size_max, are there for a DATA frame? */
        struct session_pull (*on_pull)(struct stream *stream, size_t size_max);
        /* Write exactly @size bytes, which on_pull promised, to @output, or refer to them there. */
        void (*on_write)(struct stream *stream, struct output *output, size_t size);
        /*
         * The stream is closed; @error_code 0: in order. Called exactly once for each stream, which can still be pinned. With
         * stream->unsent, or REFUSED_STREAM, the server has not processed a client's request.
         */
        void (*on_close)(struct stream *stream, uint32_t error_code);
        /* The stream is no longer pinned. */
        void (*on_unpinned)(struct stream *stream);
        /* A stream will be reset because the peer has broken a rule of HTTP/2 on it. For a log: limit it, the peer sets the rate. */
        void (*on_malformed)(void *user, const struct session_malformed *what);
        /*
         * The connection ends with a GOAWAY of @error_code, which is not NO_ERROR: the peer broke the protocol, or exceeded a
         * limit. Called once, and not for session_terminate() with a reason. @text says why, for people; can be empty. NO_ERROR:
         * HTTP/1.1, which has no codes.
         */
        void (*on_fault)(void *user, uint32_t error_code, const char *text, size_t size);
        /*
         * Clients: the server accepts no new streams on this connection. Directly after this event, those that it has not processed
         * are closed with REFUSED_STREAM; the others go on. Can be called again, with a smaller last_id.
         */
        void (*on_goaway)(void *user, const struct session_goaway *goaway);
        /* Clients: SETTINGS of the server, the first or others: session_streams_left() may have changed. */
        void (*on_settings)(void *user);
};

enum session_role {
        SESSION_SERVER,
        SESSION_CLIENT,
};

/* The steps of a graceful end: forwards only, some may be skipped. */
enum drain_step {
        DRAIN_NONE,
        DRAIN_WANTED, /* to be announced when the peer has acknowledged our SETTINGS */
        DRAIN_ANNOUNCED,
        DRAIN_ACKNOWLEDGED, /* the peer has read the announcement; it can still send requests that it had queued */
        DRAIN_DUE, /* the next output has the last GOAWAY */
        DRAIN_DONE,
};

/* How many of a peer's first bytes are kept, to recognize its protocol if it is not HTTP/2. */
#define SESSION_BEGINNING_BYTES 64

struct session {
        nghttp2_session *h2; /* NULL: HTTP/1.1 */
        struct http1 *http1; /* NULL: HTTP/2, or not known yet */
        nghttp2_mem *http1_memory; /* NULL: HTTP/1.1 is not spoken */
        const struct session_events *events;
        void *user;
        struct list streams;
        struct list
                requests; /* a client's unsent ones, in the order in which nghttp2 will send them */
        enum session_role role;
        uint32_t stream_count; /* in both lists */
        struct stream
                *current; /* of the last frame sent or received: most often of the next one, too */
        struct output *output; /* during session_fill() */
        const quoit_limits *limits;
        uint32_t received_bytes; /* of DATA; a caller that measures reads and clears it */
        uint32_t empty_frames;
        uint32_t pings; /* of the peer; a caller with a clock reads and clears them */
        uint32_t
                resets; /* the same: resets that the peer provoked, a client's own ones, and other events of that cost */
        struct glitches glitches; /* their count: the same */
        uint64_t fed_bytes; /* ever */
        uint64_t frames_end; /* where in those the newest frame ends */
        uint64_t block_end; /* the same of the newest frame of a header block */
        uint32_t blocks; /* header blocks that have begun, ever */
        uint32_t stream_window_bytes; /* the largest that a stream has had */
        int32_t last_id; /* the newest stream, and the first of those before it without a gap between their identifiers */
        int32_t run_id;
        int32_t goaway_id; /* that the last GOAWAY names, from DRAIN_DONE on */
        enum drain_step drain;
        uint8_t preface_size; /* bytes of the client's preface that were received; in a client: all of it */
        uint8_t beginning_size;
        bool bad_preface : 1; /* the peer does not speak HTTP/2: its first bytes are in `beginning` */
        bool settings_received : 1; /* or the first request of HTTP/1.1 */
        bool is_secure : 1; /* on TLS */
        bool settings_acknowledged : 1;
        bool has_reset : 1; /* we have reset a stream: the peer's frames for it can still arrive */
        bool has_answered : 1; /* headers, data or a larger window were sent; the counter of PINGs clears it */
        bool block_continues : 1; /* a CONTINUATION of the newest header block is to come */
        bool round_trip_answered : 1; /* the caller of session_measure() clears it */
        bool terminated : 1; /* ignores further input */
        bool has_lost : 1; /* no memory for a frame that must be sent: session_fill() says so */
        bool fault_reported : 1; /* on_fault was called, or session_terminate() with a reason */
        const char *raw; /* sent in place of frames; static */
        uint8_t beginning
                [SESSION_BEGINNING_BYTES]; /* of a peer that does not speak HTTP/2; a client's also before the server's SETTINGS */
};

/*
 * The server's side of a connection. Queues its SETTINGS. @memory, @limits and @events outlive it. @seed is for the map of streams,
 * whose ids the peer chooses: a peer that guesses the seed can only make its own connection slow.
 * 0, -ENOMEM.
 */
int session_init_server(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        uint64_t seed, const struct session_events *events, void *user);

/*
 * A server's client may speak HTTP/1.1 as well, which its first bytes tell. Before anything is fed; @memory as for the session.
 * @is_secure: it is on TLS.
 */
void session_allow_http1(struct session *session, nghttp2_mem *memory, bool is_secure);

/*
 * The client's side. Queues preface and SETTINGS. A server's push ends the connection. There is no seed, because the ids are
 * ours. @limits apply to the server's frames; streams_max limits our requests, besides the server's own limit.
 * 0, -ENOMEM.
 */
int session_init_client(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        const struct session_events *events, void *user);

/* Every stream gets its on_close. Takes zeroed memory. Call session_release() for all filled outputs first. */
void session_deinit(struct session *session);

/*
 * Bytes from the peer. 0, or a negative errno when the connection cannot be used any more: -EPROTO, the peer
 * broke the protocol (session_fill() may yield a GOAWAY); -ENOMEM.
 */
int session_feed(struct session *session, const uint8_t *data, size_t size);

/* Whether a header block has begun whose end has not come. */
static inline bool session_is_in_block(const struct session *session)
{
        return session->block_continues || session->fed_bytes < session->block_end;
}

/*
 * HTTP/1.1: whether the caller is to stop reading for now, as a request must be answered, or its body be consumed. What comes all
 * the same is kept.
 */
static inline bool session_is_full(const struct session *session)
{
        return session->http1 && http1_is_full(session->http1);
}

/* HTTP/1.1: whether a further request waits that was received already, and can be taken now: by session_feed() with no bytes. */
static inline bool session_has_input(const struct session *session)
{
        return session->http1 && http1_has_input(session->http1);
}

/* Whether session_fill() would yield bytes. */
bool session_has_output(const struct session *session);

/* Appends frames to @output until there are none or it is full. 0, -ENOMEM. */
int session_fill(struct session *session, struct output *output);

/* The send of @output has completed or failed: unpins its streams. The session may be freed already. */
void session_release(const struct session_events *events, struct output *output);

/* For a peer that does not speak HTTP/2: from now on session_fill() yields only the static @text. */
void session_send_raw(struct session *session, const char *text);

/*
 * How many requests a client may begin now, by its own limit and the server's; 0 also after a GOAWAY of either side, and when
 * no stream ids are left. Before the server's SETTINGS its limit counts as 100 (RFC 9113 section 6.5.2).
 */
uint32_t session_streams_left(const struct session *session);

/*
 * Begins a client's request on @stream, zeroed memory of the owner: HEADERS with @fields, pseudo fields first, which are copied.
 * With @end the request ends there, else DATA is pulled. 0: on_close will be called in any case. Errors leave @stream untouched:
 * -EAGAIN: session_streams_left() is 0, wait until a stream closes; -ESHUTDOWN: use another connection; -ENOMEM.
 */
int session_request(struct session *session, struct stream *stream, const nghttp2_nv *fields,
        size_t count, bool end);

/* Nothing more will happen on the connection: close it when the output in flight is sent. */
bool session_is_over(const struct session *session);

/*
 * Graceful end, in two steps (RFC 9113 section 6.8). First a GOAWAY that names no stream, and a PING. Some time after the answer
 * (DRAIN_ACKNOWLEDGED) session_drain_now(): a GOAWAY with the last stream, after which no new stream is accepted. Not directly
 * after the answer: peers send it before requests that they have queued. The first step waits until the peer has acknowledged
 * our SETTINGS: for gRPC C++ a connection has failed if a GOAWAY arrives together with them. A client, to which nobody sends
 * streams, has only the second step.
 */
void session_drain(struct session *session);
void session_drain_now(struct session *session);

/* Internal to the transport. */
void session_set_drain(struct session *session, enum drain_step step);
void session_announce_drain(struct session *session);

/* Sends a PING whose answer sets `round_trip_answered`. The caller measures the time. */
void session_measure(struct session *session);

/*
 * Changes the windows of all streams, open ones included, and of the connection, which only grows. If memory is short they stay
 * as they are.
 */
void session_set_windows(
        struct session *session, uint32_t stream_window_bytes, uint32_t connection_window_bytes);

/* Sends a PING to check whether the peer is alive; any byte from it counts as an answer. */
void session_ping(struct session *session);

/* Why a stream with such a header block, or such a body, is reset. */
#define SESSION_RULE_LARGE "a header block over header_bytes_hard_max"
#define SESSION_RULE_LENGTH "content-length is not the length of its body"

/* on_malformed, once a stream. Internal to the transport. */
void session_report_malformed(struct session *session, const struct session_malformed *what);

/* The stream @id; NULL: there is none, it was refused, or it is unsent. Internal to the transport. */
struct stream *session_stream(struct session *session, int32_t id);

/* A stream whose first HEADERS were received, or sent, is open from now on. Internal to the transport. */
void session_open_stream(struct session *session, struct stream *stream);

/* The stream @id was opened, or refused at once. Internal to the transport. */
void session_note_id(struct session *session, int32_t id);

/*
 * The next unsent request, if that is @id. No search: nghttp2 sends requests in the order in which they were made. Internal to the
 * transport.
 */
struct stream *session_next_request(struct session *session, int32_t id);

/* Closes the newest unsent requests until no more than @count streams are left: REFUSED_STREAM. Internal to the transport. */
void session_refuse_requests(struct session *session, uint32_t count);

/* Whether a client's connection goes on, so that requests can begin, now or later. */
bool session_takes_requests(const struct session *session);

/* How many streams the server allows. Internal to the transport. */
uint32_t session_peer_streams_max(const struct session *session);

/* Removes @stream from the session, then calls its on_close. Internal to the transport. */
void session_close_stream(struct session *session, struct stream *stream, uint32_t error_code);

/*
 * Resets @stream. Frames for it that the peer has sent already will not count as a fault. Internal to the transport.
 */
void session_reset_stream(struct session *session, struct stream *stream, uint32_t error_code);

/* A stream was closed and the peer may not know yet: late frames are expected. Internal to the transport. */
void session_expect_late(struct session *session);

/*
 * @r is what nghttp2 has returned for a frame that somebody waits for. Without memory for it the connection ends, by the next
 * session_fill(): otherwise a stream or the end of the connection would be waited for in vain. Internal to the transport.
 */
void session_must_send(struct session *session, int r);

/* Flow control of the connection (RFC 9113 section 5.2): how much we may send, and how much the peer may. */
int32_t session_send_window_bytes(const struct session *session);
int32_t session_receive_window_bytes(const struct session *session);

/*
 * Ends the connection with GOAWAY, an HTTP/2 error code and a @reason (can be NULL) for the peer's log. It ignores further input;
 * running streams are lost.
 */
void session_terminate(struct session *session, uint32_t error_code, const char *reason);

/* The same, and reports it at once: on_fault, with the same text. Internal to the transport. */
void session_blame(struct session *session, uint32_t error_code, const char *why);
