/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/h2.h"
#include "bench/load/hpack.h"
#include "bench/load/output.h"
#include "bench/load/schedule.h"
#include "bench/load/stream.h"
#include "core/list.h"

struct load;

/* How far the server may be ahead of us, on a stream and on the connection: never waits for it. */
#define RECEIVE_WINDOW_BYTES (1u << 30)

/* What a read may leave for the next one: a frame that is not whole. */
#define RECEIVE_REST_BYTES_MAX (H2_FRAME_HEADER_BYTES + H2_FRAME_BYTES_MAX)

/* Frames that came in pieces. */
struct inbox {
        unsigned char *rest; /* a frame's beginning; NULL until there was one */
        size_t rest_bytes;

        /* Of the DATA frame that is coming: */
        uint32_t data_stream;
        uint32_t data_left;
        uint32_t padding_left;
        bool data_ends;

        /* Of the header block that goes on in CONTINUATION: */
        unsigned char *block; /* NULL until there was one */
        size_t block_bytes;
        uint32_t block_stream; /* 0: none */
        bool block_ends;
};

/*
 * A client's side of an HTTP/2 connection with prior knowledge. Streams are found by their id's
 * low bits; an id whose place is still taken is skipped, which HTTP/2 allows.
 */
struct connection {
        struct load *load;
        struct output output;
        struct inbox inbox;
        struct hpack_encoder encoder;
        struct hpack_decoder decoder;
        struct schedule_lane lane;
        struct list sending; /* streams with something to send and a window for it */
        struct stream *streams;
        uint32_t stream_mask; /* of id / 2 */
        uint32_t live; /* streams in use */
        uint32_t next_id;
        uint32_t unacknowledged; /* received DATA that no WINDOW_UPDATE gave back */
        int fd; /* -1: closed */

        /* State of the server: */
        int64_t window;
        uint32_t stream_window;
        uint32_t streams_max;
        uint32_t frame_bytes_max;
        bool ready; /* its SETTINGS have arrived: calls can begin */
        bool draining; /* its GOAWAY has arrived: no call can begin */
        uint32_t goaway_code;

        bool blocked; /* the socket is full; epoll reports when it has room */
        bool crowded; /* a call that is due may be waiting for a stream */
};

/* Takes over @fd, connected and non-blocking; the preface goes out with the first push. 0 or a
 * negative errno, @fd is closed then. @number: which of the load's connections. */
int connection_open(struct connection *connection, struct load *load, uint64_t number, int fd);

/* Closes it at once. Calls in flight are not changed. No-op when closed. */
void connection_close(struct connection *connection);

/* All calls in flight fail with this. */
void connection_abandon(struct connection *connection, const char *why);

/* Begins the calls that can begin, and sends as much as possible. */
void connection_push(struct connection *connection);

/* epoll's. */
void connection_on_events(struct connection *connection, uint32_t events);

/* ---- between the files that follow frames ---- */

/* receive.c: reads once, and follows the frames. */
void connection_receive(struct connection *connection);

/* control.c: a whole frame of any type but DATA, HEADERS, CONTINUATION. False: the connection is
 * lost. */
bool connection_on_control(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload);

/* @payload: of frame.length bytes. */
void connection_write_frame(
        struct connection *connection, struct h2_frame frame, const unsigned char *payload);

/* NULL: it has ended, or (not *ret_known) never began. */
struct stream *connection_find_stream(struct connection *connection, uint32_t id, bool *ret_known);

/* The windows or the call may allow it to send now. */
void connection_resume_stream(struct connection *connection, struct stream *stream);

/* @problem: NULL, or why the call failed. */
void connection_end_stream(
        struct connection *connection, struct stream *stream, const char *problem, uint64_t now_ns);

/* The connection cannot be used any more: closes it, all its calls fail with this text. No-op when closed. */
void connection_lose(struct connection *connection, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* The same, for functions that return false then. */
#define LOSE(connection, ...) (connection_lose(connection, __VA_ARGS__), false)
