/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One HTTP/2 stream (RFC 9113 section 5.1), of either role. It is the first member of the call that owns it. The session refers
 * to it from its first HEADERS (a client's: from session_request()) to on_close, the output from a referred payload to the
 * end of its send.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include "core/list.h"
#include "transport/output.h"

/* What a header field counts besides its name and value (RFC 9113 section 6.5.2). */
#define FIELD_OVERHEAD_BYTES 32

struct session;

enum stream_state {
        STREAM_IDLE,
        STREAM_OPEN,
        STREAM_HALF_CLOSED_REMOTE, /* the peer has sent END_STREAM */
        STREAM_HALF_CLOSED_LOCAL,  /* we have */
        STREAM_CLOSED,
};

struct stream {
        struct session
                *session; /* NULL before its HEADERS or session_request(), and after on_close */
        struct list link;        /* in the session */
        int32_t id;
        enum stream_state state;
        uint32_t unconsumed_bytes; /* of DATA, not yet given back to the stream's window */
        uint32_t field_bytes;      /* of the current header block, with 32 for each field */
        uint16_t field_count;
        uint16_t pins; /* pieces of its payload in an output */
        bool is_reset; /* RST_STREAM was submitted */
        bool malformed_reported; /* on_malformed was called for it */
        bool starved; /* on_pull had nothing: nghttp2 does not ask again before stream_resume() */
        bool has_headers; /* on_headers was called: further fields are trailers */
        bool block_ends; /* the current header block ends the stream: trailers, or a message without a body */
        bool interim; /* the current header block is a 1xx response, which is skipped */
        bool unsent; /* a client's request that was not sent yet: if it is closed now, the peer has never seen it */
};

/* The one place where a stream's state changes; asserts that the step is one of RFC 9113's. */
void stream_set_state(struct stream *stream, enum stream_state state);

/* Sends the response HEADERS; with @end the stream ends with them (trailers-only), else DATA is pulled. 0, -ENOMEM. */
int stream_respond(struct stream *stream, const nghttp2_nv *fields, size_t count, bool end);

/* Sends the response HEADERS and the static @text, without trailers: HTTP's own answers. 0, -ENOMEM. */
int stream_respond_text(
        struct stream *stream, const nghttp2_nv *fields, size_t count, const char *text);

/* Sends a response's trailers, behind the data that is queued. In on_pull, which must then return `last`, or outside of it. 0, -ENOMEM. */
int stream_submit_trailers(struct stream *stream, const nghttp2_nv *fields, size_t count);

/* There is data to pull again, after on_pull had none. */
void stream_resume(struct stream *stream);

/*
 * Sends RST_STREAM with an HTTP/2 error code; on_close follows when the frame has been made. A request that was not sent yet is
 * never sent, and its on_close says CANCEL.
 */
void stream_reset(struct stream *stream, uint32_t error_code);

/* Opens the stream's window by @size bytes of what was received. */
void stream_consume(struct stream *stream, uint32_t size);

/* How much we may send on it by its own window. */
int32_t stream_send_window_bytes(const struct stream *stream);

/* Whether the peer may still send on it. */
static inline bool stream_is_remote_open(const struct stream *stream)
{
        return stream->state == STREAM_OPEN || stream->state == STREAM_HALF_CLOSED_LOCAL;
}
