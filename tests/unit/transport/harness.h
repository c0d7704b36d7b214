/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server session of ours and an nghttp2 client, joined in memory. Bytes travel in pieces of
 * random size, from a seed; what arrives on either side is written down for the test to look at.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/memory.h"
#include "transport/session.h"

#define JOINT_STREAMS_MAX 64
#define JOINT_BODY_MAX ((size_t)1 << 20)

/* A stream as the server's side sees it. What it answers is set by joint_answer(). */
struct server_stream {
        struct stream stream; /* first: as a call has it */
        struct joint *joint;
        int32_t id; /* stream.id, 0 while the slot is free */

        /* seen */
        unsigned fields, headers, ends, closes, unpins;
        bool oversize;
        char path[64];
        uint32_t error_code;
        uint8_t *data;
        size_t data_size;

        /* to be sent */
        const uint8_t *body;
        size_t body_size;
        size_t body_sent;
        bool finish;      /* trailers behind the body */
        bool refer;       /* payloads are referred to, not copied */
        bool trailers_out;
};

/* A frame that the server has sent. */
struct frame_seen {
        uint8_t type;
        uint8_t flags;
        int32_t id;
        uint32_t length;
        uint32_t code; /* of RST_STREAM and GOAWAY */
        int32_t last_id; /* of GOAWAY */
};

/* What the client has been answered on one stream. */
struct client_stream {
        int32_t id;
        char status[8];
        char grpc_status[8];
        bool trailers;
        bool closed;
        uint32_t error_code;
        uint8_t *data;
        size_t data_size;

        const uint8_t *body;
        size_t body_size;
        size_t body_sent;
        bool end; /* END_STREAM behind the body; else it stays open */
};

struct joint {
        struct memory memory;
        quoit_limits limits;
        struct session server;
        nghttp2_session *client;
        uint64_t random;
        size_t fill_bytes_max; /* of one output; 0: ample */
        size_t piece_bytes_max; /* of one piece on its way */
        bool refuse;           /* on_stream says no */
        bool consume;          /* whatever arrives is given back to the window at once */
        struct server_stream streams[JOINT_STREAMS_MAX];
        unsigned stream_count;
        struct client_stream calls[JOINT_STREAMS_MAX];
        unsigned call_count;
        struct frame_seen frames[8192];
        unsigned frame_count;
        uint8_t pending[9 + 16384]; /* of a server frame that is not whole yet */
        size_t pending_size;
        int feed_error;
        uint32_t goaway_code; /* of the last GOAWAY; UINT32_MAX: none came */
        uint64_t fed_bytes; /* to the server, in all */
        unsigned fills; /* outputs that were not empty */
};

extern const struct session_events joint_events;

/* Limits as a server's defaults, small where a test would be slow otherwise. */
extern const quoit_limits joint_limits;

/* Both sessions are set up, nothing is exchanged. @limits NULL: joint_limits. Heap: it is large. */
struct joint *joint_new(const quoit_limits *limits, uint64_t seed);

/* Checks that nothing is left of the server's side, in memory or in streams. */
void joint_free(struct joint *joint);

/* The client's request, POST @path; with @body until its end, unless @end is false. Returns its place. */
struct client_stream *joint_request(
        struct joint *joint, const char *path, const void *body, size_t size, bool end);

/* More of the body of a request that was left open. */
void joint_continue(
        struct joint *joint, struct client_stream *call, const void *body, size_t size, bool end);

/* Headers, then @size bytes of @body as the windows allow, then trailers. */
void joint_answer(struct server_stream *stream, const void *body, size_t size);

/* Moves what the client has to say to the server. 0 or what session_feed() said. */
int joint_to_server(struct joint *joint);

/* Bytes that no honest client sends. 0 or what session_feed() said. */
int joint_feed(struct joint *joint, const void *data, size_t size);

/* Moves one output to the client: the bytes are delivered, pins are released. Returns their number. */
size_t joint_to_client(struct joint *joint);

/* Both, until neither has anything to say. */
void joint_run(struct joint *joint);

/* How many frames of @type the server has sent on stream @id (-1: any); the last one in *@ret_frame if not NULL. */
unsigned joint_count_frames(
        const struct joint *joint, uint8_t type, int32_t id, struct frame_seen *ret_frame);

/* Writes the head of a frame; returns 9. */
size_t frame_head(uint8_t *out, uint32_t length, uint8_t type, uint8_t flags, int32_t id);

/* Writes a field as HPACK's literal without indexing; returns its size. For sizes below 127. */
size_t hpack_field(uint8_t *out, const char *name, const char *value);

/* The fields of a good request, as hpack_field()s. */
size_t hpack_request(uint8_t *out, const char *path);

/* Bytes that differ from their neighbours', for bodies. */
const uint8_t *joint_bytes(void);
