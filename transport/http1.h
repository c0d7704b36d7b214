/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP/1.1 (RFC 9112) in place of HTTP/2 on a server's session, for browsers, curl and health checks. It raises the same events: each
 * request is one stream, so nobody above the transport knows which of the two it is.
 *
 * One request at a time: what is behind it (pipelining) waits unparsed until it is answered, and the caller stops reading meanwhile,
 * as session_is_full() tells. A body is limited like a stream by its window: by what was not consumed.
 *
 * Requests are parsed by llhttp in its strict mode. On top of that everything is refused that a proxy in front might read in another
 * way: two lengths, a length and a transfer coding, other codings than chunked, folded lines, extensions of chunks, two Hosts. A
 * request that is refused ends its connection.
 *
 * There is no clock and no I/O; all functions are the session's own, but for http1_new() they take the one of a session.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>
#include <nghttp2/nghttp2.h>

struct output;
struct session;
struct stream;

/* What stands between a request's target, with the space behind it, and the version. */
#define HTTP1_PROTOCOL "HTTP/"
#define HTTP1_PROTOCOL_BYTES (sizeof(HTTP1_PROTOCOL) - 1)

/* Bytes that grow, in the ring's memory for sessions. */
struct http1_bytes {
        uint8_t *data;
        size_t size;
        size_t capacity;
};

/* Where the answer to the request at hand is. Forwards only. */
enum http1_answer {
        HTTP1_ANSWER_NONE, /* there is none yet */
        HTTP1_ANSWER_READY, /* its status and fields are there */
        HTTP1_ANSWER_HEAD, /* these are being sent */
        HTTP1_ANSWER_BODY,
        HTTP1_ANSWER_TAIL, /* of a chunked body: the last chunk, and trailers */
        HTTP1_ANSWER_DONE,
};

/* How the other end knows where the answer's body ends (RFC 9112, section 6). */
enum http1_framing {
        HTTP1_FRAMING_NONE, /* it has no body */
        HTTP1_FRAMING_LENGTH,
        HTTP1_FRAMING_CHUNKED,
        HTTP1_FRAMING_CLOSE, /* the connection's end: for HTTP/1.0 */
};

struct http1 {
        llhttp_t parser; /* its `data` is this */
        struct session *session;
        struct stream *stream; /* the request at hand; NULL: none */
        struct http1_bytes block; /* its target and fields, until all are there: http1_parse.c */
        struct http1_bytes ahead; /* came behind it */
        size_t ahead_parsed; /* of that */
        size_t field_at; /* of the block: where the newest field begins */
        uint32_t field_bytes; /* of the block, or of the trailers, as limits count them */
        uint32_t field_count;
        uint32_t empty_bytes; /* since the last request */
        uint32_t protocol_left; /* of HTTP1_PROTOCOL, behind a target: not seen yet */
        uint64_t framing_bytes; /* since the last byte of a body, or the last head */

        struct http1_bytes head; /* of the answer; or all of a refusal */
        struct http1_bytes tail;
        size_t sent_bytes; /* of the one that is being sent */
        const char *text; /* the rest of a static body; NULL: it is pulled */
        uint64_t promised_bytes; /* of the body's end, by on_pull */
        const char *refusal; /* static: the code of a request that is refused; NULL: it is not */
        const char *rule; /* that it broke; static */
        uint32_t reset_code; /* of the stream, which is reset */

        enum http1_answer answer;
        enum http1_framing framing;
        bool has_line : 1; /* the first request line was complete: this is HTTP/1 */
        bool in_name : 1; /* the newest field's name is not complete */
        bool is_whole : 1; /* the newest request has ended */
        bool is_head : 1; /* its method is HEAD */
        bool is_old : 1; /* it is of HTTP/1.0 */
        bool is_kept : 1; /* its client wants to send further ones */
        bool continues : 1; /* 100 Continue is to be sent */
        bool awaits_continue : 1; /* it was not sent: the client may never send the body */
        bool skips : 1; /* the request at hand was answered: the rest of its body is dropped */
        bool is_bodiless : 1; /* the answer has no body, whatever is pulled */
        bool is_last : 1; /* on_pull has promised the body's end */
        bool closes : 1; /* no further request is taken */
};

/* The session's peer does not begin with HTTP/2's preface. 0, -ENOMEM. */
int http1_new(struct session *session);
/* Takes NULL. Its stream is closed. */
void http1_free(struct http1 *http1);

/* As session_feed(); without bytes, parses on what has waited. */
int http1_feed(struct http1 *http1, const uint8_t *data, size_t size);
bool http1_has_output(const struct http1 *http1);
int http1_fill(struct http1 *http1, struct output *output);
bool http1_is_over(const struct http1 *http1);
bool http1_is_full(const struct http1 *http1);
bool http1_has_input(const struct http1 *http1);

/* As stream_respond(), or with the static @text as stream_respond_text(). */
int http1_respond(
        struct http1 *http1, const nghttp2_nv *fields, size_t count, bool end, const char *text);
/* As stream_reset(). */
void http1_reset(struct http1 *http1, uint32_t error_code);
int http1_submit_trailers(struct http1 *http1, const nghttp2_nv *fields, size_t count);

/* ---- between its files ---- */

/* The session's peer broke @rule, or asks for what there is not: answered with the status @code ("400") if it can be. Both static. -1. */
int http1_refuse(struct http1 *http1, const char *code, const char *rule);

/*
 * The connection's last answer, and the end of the stream at hand, if there is one, for @error_code. Where another answer has begun there is
 * none; nor if memory is short. @why: a line for people; NULL: none.
 */
void http1_end_with(struct http1 *http1, uint32_t error_code, const char *code, const char *why);

/* The stream is over for @error_code. */
void http1_close_stream(struct http1 *http1, uint32_t error_code);

/* A new request begins, or trailers: there is a header block that is to be complete in time. */
void http1_begin_block(struct http1 *http1);

/* llhttp's callbacks. */
extern const llhttp_settings_t http1_parser_settings;

/* Copies. 0, -ENOMEM. */
int http1_append(
        const struct http1 *http1, struct http1_bytes *bytes, const void *data, size_t size);
int http1_append_text(const struct http1 *http1, struct http1_bytes *bytes, const char *text);
/* Empties. Little memory is kept for the next one. */
void http1_clear(const struct http1 *http1, struct http1_bytes *bytes);
