/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One HTTP/2 connection (RFC 9113) without a socket, of a server or a client: bytes go in through session_feed(), frames come
 * out through session_fill(). No clock and no I/O, so a test joins two sessions in memory and a
 * fuzzer feeds one.
 *
 * Events run inside nghttp2's callbacks, where nothing may be fed or filled: they note what is to be
 * done, and submit. Whoever feeds a session does the noted work afterwards and then fills.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include <quoit/limits.h>

#include "transport/glitches.h"
#include "transport/output.h"
#include "transport/stream.h"

/* A header field; the bytes are valid during the event only. */
struct session_field {
        const char *name;
        size_t name_size;
        const char *value;
        size_t value_size;
};

/* A stream is reset because its request, or response, is malformed. The strings are valid during the event only. */
struct session_malformed {
        struct stream *stream;
        const char *
                rule; /* that it breaks, static; NULL: each field is good, but not all of them together */
        const char *name; /* of the field that is at fault; NULL: it is not a single one */
        size_t name_size;
};

struct session_pull {
        size_t size; /* bytes of payload that the next DATA frame takes; 0 with !last: nothing now */
        bool last; /* no more after these. A server has submitted trailers; a client's stream ends with this frame */
};

/* A server's GOAWAY (RFC 9113 section 6.8). The text is valid during the event only. */
struct session_goaway {
        int32_t last_id; /* streams with a larger id were not processed, and never will be */
        uint32_t error_code;
        const char *text; /* for people; it may be empty */
        size_t text_size;
};

struct session_events {
        /* Servers: a request begins. Returns its stream, zeroed, or NULL: the stream is refused (REFUSED_STREAM). */
        struct stream *(*on_stream)(void *user);
        /*
         * A field of a header block; not called once the block is oversize. A client's are those of the response and, while
         * stream->has_headers, of the trailers behind it. A server's are the request's: its trailers are skipped.
         */
        void (*on_field)(struct stream *stream, const struct session_field *field);
        /*
         * The header block is complete. For a client again behind trailers, then with stream->has_headers. If stream->block_ends,
         * on_end comes next: a response that has its status already in its first block (trailers-only), or trailers.
         */
        void (*on_headers)(struct stream *stream, bool oversize);
        /* DATA, in order. The bytes count against the stream's window until stream_consume(). */
        void (*on_data)(struct stream *stream, const uint8_t *data, size_t size);
        /* The peer has ended its side (END_STREAM). */
        void (*on_end)(struct stream *stream);
        /* Up to @size_max bytes may be sent in a DATA frame: how many are there? */
        struct session_pull (*on_pull)(struct stream *stream, size_t size_max);
        /* Write exactly @size bytes, as on_pull promised, to @output, or refer to them there. */
        void (*on_write)(struct stream *stream, struct output *output, size_t size);
        /*
         * The stream is over: @error_code 0 if in order. Once a stream, whatever happens. It may be pinned still. A client's that
         * the peer has not processed: stream->unsent, or REFUSED_STREAM.
         */
        void (*on_close)(struct stream *stream, uint32_t error_code);
        /* The last pin of a stream is gone. */
        void (*on_unpinned)(struct stream *stream);
        /* A stream is about to be reset because what the peer sent on it breaks a rule of HTTP/2. For a log; the peer sets the rate. */
        void (*on_malformed)(void *user, const struct session_malformed *what);
        /*
         * A GOAWAY with @error_code, which is not NO_ERROR, was made: the peer broke the protocol, or is too much. Once, and not
         * for a session_terminate() with a reason. @text may be empty, and is for people.
         */
        void (*on_fault)(void *user, uint32_t error_code, const char *text, size_t size);
        /*
         * Clients: the server takes no new streams on this connection. Right behind it, those that it has not processed are
         * closed with REFUSED_STREAM; the others go on. It may come again, with a smaller last_id.
         */
        void (*on_goaway)(void *user, const struct session_goaway *goaway);
};

enum session_role {
        SESSION_SERVER,
        SESSION_CLIENT,
};

/* The steps of a graceful end: forwards only, some may be skipped. */
enum drain_step {
        DRAIN_NONE,
        DRAIN_WANTED, /* it is announced when the peer has acknowledged our SETTINGS */
        DRAIN_ANNOUNCED,
        DRAIN_ACKNOWLEDGED, /* the peer has read the announcement; it may still send streams that it had queued */
        DRAIN_DUE, /* the last GOAWAY is to be made with the next output */
        DRAIN_DONE,
};

/* So much of what a peer sends first is kept, to see what it speaks if it is not HTTP/2. */
#define SESSION_BEGINNING_BYTES 64

struct session {
        nghttp2_session *h2;
        const struct session_events *events;
        void *user;
        enum session_role role;
        struct list streams;
        struct list
                requests; /* a client's that are unsent, in the order in which nghttp2 will send them */
        uint32_t stream_count; /* in both lists */
        struct stream *current; /* of the last frame, either way: most often of the next one too */
        struct output *output; /* during session_fill() */
        const quoit_limits *limits;
        uint32_t received_bytes; /* of DATA, for whoever measures it and clears it */
        uint32_t empty_frames;
        uint32_t pings; /* of the peer; whoever has a clock counts and clears them */
        uint32_t
                resets; /* the same: of streams, the peer's and those that it has provoked, and what is as dear */
        struct glitches glitches; /* their count is for the same */
        uint32_t stream_window_bytes; /* the largest that a stream has had */
        int32_t last_id; /* the newest stream, and the first of those before it without a gap between their identifiers */
        int32_t run_id;
        enum drain_step drain;
        uint8_t preface_size; /* bytes of the client's preface that were received; in a client: all of it */
        uint8_t beginning_size;
        bool bad_preface : 1; /* the peer does not speak HTTP/2: what it sent first is in `beginning` */
        bool settings_received : 1;
        bool settings_acknowledged : 1;
        bool has_reset : 1; /* we have reset a stream of our own accord: frames to it may still be on their way */
        bool has_answered : 1; /* headers, data or a larger window were sent; who counts PINGs clears it */
        bool round_trip_answered : 1; /* whoever measures it clears it */
        bool terminated : 1; /* nothing is fed any more */
        bool fault_reported : 1; /* on_fault was called, or session_terminate() with a reason, whose caller knows */
        const char *raw; /* sent in place of frames; static */
        uint8_t beginning
                [SESSION_BEGINNING_BYTES]; /* of a peer that does not speak HTTP/2; a client's also before the server's SETTINGS */
};

/*
 * The server's side of a connection; its SETTINGS are queued. @memory, @limits and @events outlive it. @seed is for the map of
 * streams, whose ids the peer chooses: a peer that guesses the seed can make its own connection slow, but no other.
 * 0, -ENOMEM.
 */
int session_init_server(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        uint64_t seed, const struct session_events *events, void *user);

/*
 * The client's side: preface and SETTINGS are queued, a server's pushes end the connection. There is no seed, for the ids are
 * ours. @limits apply to what the server sends; streams_max bounds our requests, besides the server's own limit.
 * 0, -ENOMEM.
 */
int session_init_client(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        const struct session_events *events, void *user);

/* Every stream gets its on_close. Takes zeroed memory. Outputs that were filled are to be session_release()d first. */
void session_deinit(struct session *session);

/*
 * Bytes from the peer. 0, or a negative errno when the connection is beyond use: -EPROTO the peer
 * broke the protocol (a GOAWAY may be waiting in session_fill()), -ENOMEM.
 */
int session_feed(struct session *session, const uint8_t *data, size_t size);

/* Whether session_fill() would yield bytes. */
bool session_has_output(const struct session *session);

/* Appends frames to @output until there are none or it is full. 0, -ENOMEM. */
int session_fill(struct session *session, struct output *output);

/* The send of @output has completed, well or not: unpins its streams. The session may be gone by then. */
void session_release(const struct session_events *events, struct output *output);

/* To a peer that does not speak HTTP/2: the static @text is all that session_fill() yields. */
void session_send_raw(struct session *session, const char *text);

/*
 * How many requests a client may begin now, by its own limit and the server's; 0 also after a GOAWAY of either side, and when
 * there are no stream ids left. Before the server's SETTINGS its limit is taken to be 100 (RFC 9113 section 6.5.2).
 */
uint32_t session_streams_left(const struct session *session);

/*
 * Begins a client's request on @stream, zeroed and of the owner: its HEADERS with @fields, pseudo fields first, which are copied.
 * With @end nothing comes behind them, else DATA is pulled. 0, and on_close comes in any case. -EAGAIN: session_streams_left()
 * is 0, wait until a stream closes; -ESHUTDOWN: not on this connection any more; -ENOMEM. Then @stream is untouched.
 */
int session_request(struct session *session, struct stream *stream, const nghttp2_nv *fields,
        size_t count, bool end);

/* The connection has served its purpose: close it once what is in flight was sent. */
bool session_is_over(const struct session *session);

/*
 * Graceful end, in two steps (RFC 9113 section 6.8): a GOAWAY that names no stream and a PING; some time after
 * that was answered (DRAIN_ACKNOWLEDGED) session_drain_now(): a GOAWAY with the last stream, and nothing new is taken.
 * Not with the answer at once: peers send it ahead of requests that they have queued. Nor is the first step taken before the
 * peer has acknowledged our SETTINGS: gRPC C++ takes a GOAWAY that comes with them for a connection that failed.
 */
void session_drain(struct session *session);
void session_drain_now(struct session *session);

/* Internal to the transport. */
void session_set_drain(struct session *session, enum drain_step step);
void session_announce_drain(struct session *session);

/* Sends a PING whose answer sets `round_trip_answered`: its caller measures the time. */
void session_measure(struct session *session);

/*
 * Other windows from now on: streams', those that are open included, and the connection's, which only grows. If memory is
 * short they stay.
 */
void session_set_windows(
        struct session *session, uint32_t stream_window_bytes, uint32_t connection_window_bytes);

/* Asks the peer whether it is still there; any byte from it will do for an answer. */
void session_ping(struct session *session);

/* Why a stream with such a header block, or such a body, is reset. */
#define SESSION_RULE_LARGE "a header block over header_bytes_hard_max"
#define SESSION_RULE_LENGTH "content-length is not the length of its body"

/* on_malformed, once a stream. Internal to the transport. */
void session_report_malformed(struct session *session, const struct session_malformed *what);

/* The stream @id; NULL: there is none, it was refused, or is unsent. Internal to the transport. */
struct stream *session_stream(struct session *session, int32_t id);

/* A stream whose first HEADERS were received, or sent, is open from now on. Internal to the transport. */
void session_open_stream(struct session *session, struct stream *stream);

/* The stream @id was opened, or refused at once. Internal to the transport. */
void session_note_id(struct session *session, int32_t id);

/*
 * The next unsent request, if that is @id. nghttp2 sends them in the order in which they were made, so none is looked for.
 * Internal to the transport.
 */
struct stream *session_next_request(struct session *session, int32_t id);

/* Closes the newest unsent requests until no more than @count streams are left: REFUSED_STREAM. Internal to the transport. */
void session_refuse_requests(struct session *session, uint32_t count);

/* What the server allows. Internal to the transport. */
uint32_t session_peer_streams_max(const struct session *session);

/* Parts with @stream, on_close being the last. Internal to the transport. */
void session_close_stream(struct session *session, struct stream *stream, uint32_t error_code);

/*
 * Resets @stream, of our own accord or for what the peer did. What it has on the way for it is then no fault of it. Internal
 * to the transport.
 */
void session_reset_stream(struct session *session, struct stream *stream, uint32_t error_code);

/* The peer may not know yet that a stream of it is over. Internal to the transport. */
void session_expect_late(struct session *session);

/* Flow control of the connection (RFC 9113 section 5.2): what we may send, and what the peer may. */
int32_t session_send_window_bytes(const struct session *session);
int32_t session_receive_window_bytes(const struct session *session);

/*
 * Ends the connection with GOAWAY, an HTTP/2 error code and, unless NULL, a @reason for the peer's log: it can't be fed any
 * more, streams that run are lost.
 */
void session_terminate(struct session *session, uint32_t error_code, const char *reason);
