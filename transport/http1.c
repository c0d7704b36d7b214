/* SPDX-License-Identifier: MIT */
#include "transport/http1.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "transport/session.h"

/*
 * What may come of further requests before the caller's pause takes effect: the buffers that the kernel has filled already. More is
 * no fault of the peer's, but cannot be kept.
 */
#define AHEAD_BYTES_MAX ((size_t)4 << 20)
/* A server skips an empty line before a request (RFC 9112, section 2.2), but not a flood of them. */
#define EMPTY_LINE_BYTES_MAX 16
/* Beside fields, a head, or what stands between two parts of a body, has a method, a version, a chunk's size. */
#define FRAMING_BYTES_MAX 1024

int http1_new(struct session *session)
{
        nghttp2_mem *memory = session->http1_memory;
        struct http1 *http1 = memory->calloc(1, sizeof(*http1), memory->mem_user_data);

        if (!http1)
                return -ENOMEM;
        http1->session = session;
        llhttp_init(&http1->parser, HTTP_REQUEST, &http1_parser_settings);
        http1->parser.data = http1;
        session->http1 = http1;
        return 0;
}

void http1_free(struct http1 *http1)
{
        nghttp2_mem *memory;

        if (!http1)
                return;
        memory = http1->session->http1_memory;
        memory->free(http1->block.data, memory->mem_user_data);
        memory->free(http1->ahead.data, memory->mem_user_data);
        memory->free(http1->head.data, memory->mem_user_data);
        memory->free(http1->tail.data, memory->mem_user_data);
        memory->free(http1, memory->mem_user_data);
}

void http1_begin_block(struct http1 *http1)
{
        http1->session->blocks++;
        http1->session->block_continues = true;
        http1->empty_bytes = 0;
}

void http1_close_stream(struct http1 *http1, uint32_t error_code)
{
        struct stream *stream = http1->stream;

        http1->stream = NULL;
        http1->skips = !http1->is_whole;
        http1->answer = HTTP1_ANSWER_NONE;
        http1->text = NULL;
        http1->promised_bytes = 0;
        http1->sent_bytes = 0;
        http1->is_bodiless = http1->is_last = http1->continues = http1->awaits_continue = false;
        http1_clear(http1, &http1->head);
        http1_clear(http1, &http1->tail);
        session_close_stream(http1->session, stream, error_code);
}

/* ---- refusing ---- */

int http1_refuse(struct http1 *http1, const char *code, const char *rule)
{
        if (http1->refusal)
                return -1;
        http1->refusal = code;
        http1->rule = rule;
        return -1;
}

/* The parser has stopped. Before the first line is whole this may be no HTTP at all. */
static int fail(struct http1 *http1)
{
        struct session *session = http1->session;

        session->terminated = true;
        session->block_continues = false;
        if (!http1->has_line) {
                http1->closes = true;
                session->bad_preface = true;
                return -EPROTO;
        }
        http1_end_with(http1, NGHTTP2_PROTOCOL_ERROR, http1->refusal, http1->rule);
        session->fault_reported = true;
        session->events->on_fault(
                session->user, NGHTTP2_NO_ERROR, http1->rule, strlen(http1->rule));
        return -EPROTO;
}

/* What llhttp itself found wrong. Its texts are static. */
static int fail_parsing(struct http1 *http1, llhttp_errno_t error)
{
        const char *why = llhttp_get_error_reason(&http1->parser);

        (void)http1_refuse(http1, error == HPE_INVALID_METHOD ? "501" : "400",
                why && *why ? why : "it is malformed");
        return fail(http1);
}

/* ---- parsing ---- */

/* The request at hand has ended, and is not answered yet. */
static bool is_waiting(const struct http1 *http1)
{
        return http1->stream && http1->is_whole;
}

/* Nothing more is read: the connection's end has been told. But of a stream that is answered already, the rest of its request is. */
static bool is_deaf(const struct http1 *http1)
{
        return http1->closes && (!http1->stream || http1->is_whole || http1->stream->is_reset);
}

/* Whether the first line has ended without a version, as HTTP/0.9 had it: llhttp sees it only by the byte behind. */
static bool lacks_version(const struct http1 *http1, uint8_t last)
{
        return !http1->has_line && http1->session->block_continues && last == '\n';
}

/* Zeros before a chunk's size and blanks before a field's value, which llhttp skips without an event. */
static int check_framing_bytes(struct http1 *http1)
{
        if (http1->framing_bytes <=
                (uint64_t)http1->session->limits->header_bytes_max + FRAMING_BYTES_MAX)
                return 0;
        (void)http1_refuse(http1, "431",
                "its fields or a chunk's size take too many bytes (header_bytes_max)");
        return fail(http1);
}

/* llhttp takes "RTSP/1.0" and "ICE/1.0" for HTTP, and tells nobody. */
static int check_protocol(struct http1 *http1, const uint8_t *data, size_t size)
{
        size_t left = http1->protocol_left, n = left < size ? left : size;

        if (memcmp(data, &HTTP1_PROTOCOL[HTTP1_PROTOCOL_BYTES - left], n) != 0)
                return http1_refuse(http1, "400", "its protocol is not HTTP");
        http1->protocol_left -= (uint32_t)n;
        return 0;
}

/* Parses to the end of a target, of a request, or of the bytes. *@ret_used: how many of them. */
static int parse_one(struct http1 *http1, const uint8_t *data, size_t size, size_t *ret_used)
{
        llhttp_errno_t error;

        *ret_used = size;
        if (check_protocol(http1, data, size) < 0)
                return fail(http1);
        /* Of one request, unless it ends in them: then llhttp pauses. */
        http1->framing_bytes += size;
        error = llhttp_execute(&http1->parser, (const char *)data, size);
        if (error == HPE_OK && lacks_version(http1, data[size - 1]))
                error = HPE_INVALID_VERSION;
        if (error == HPE_OK)
                return check_framing_bytes(http1);
        if (error != HPE_PAUSED)
                return fail_parsing(http1, error);
        *ret_used = (size_t)(llhttp_get_error_pos(&http1->parser) - (const char *)data);
        if (!http1->is_whole) { /* the target has ended */
                http1->framing_bytes -= size - *ret_used;
                llhttp_resume(&http1->parser);
                return 0;
        }
        llhttp_reset(&http1->parser);
        http1->framing_bytes = 0;
        return 0;
}

/* Empty lines between requests, which llhttp skips without an event. */
static int count_empty(struct http1 *http1, size_t size)
{
        if (http1->stream || http1->session->block_continues || http1->closes)
                return 0;
        http1->empty_bytes += (uint32_t)size;
        if (http1->empty_bytes <= EMPTY_LINE_BYTES_MAX)
                return 0;
        (void)http1_refuse(http1, "400", "too many empty lines before a request");
        return fail(http1);
}

/* Parses until a request waits for its answer. *@ret_used: how many bytes. */
static int parse(struct http1 *http1, const uint8_t *data, size_t size, size_t *ret_used)
{
        size_t used;
        int r = 0;

        *ret_used = 0;
        while (r == 0 && *ret_used < size && !is_waiting(http1) && !is_deaf(http1)) {
                bool skipped = http1->skips;

                r = parse_one(http1, data + *ret_used, size - *ret_used, &used);
                *ret_used += used;
                if (r == 0 && !skipped)
                        r = count_empty(http1, used);
        }
        return r;
}

/* What has waited comes first. */
static int parse_ahead(struct http1 *http1)
{
        struct http1_bytes *ahead = &http1->ahead;
        size_t used;
        int r = parse(
                http1, ahead->data + http1->ahead_parsed, ahead->size - http1->ahead_parsed, &used);

        http1->ahead_parsed += used;
        if (http1->ahead_parsed == ahead->size || is_deaf(http1)) {
                http1_clear(http1, ahead);
                http1->ahead_parsed = 0;
        }
        return r;
}

static int keep(struct http1 *http1, const uint8_t *data, size_t size)
{
        if (size == 0 || is_deaf(http1))
                return 0;
        if (http1->ahead.size + size > AHEAD_BYTES_MAX)
                return -EMSGSIZE;
        return http1_append(http1, &http1->ahead, data, size);
}

int http1_feed(struct http1 *http1, const uint8_t *data, size_t size)
{
        size_t used = 0;
        int r = 0;

        http1->session->fed_bytes += size;
        if (is_deaf(http1))
                return 0;
        if (http1->ahead.size > 0)
                r = parse_ahead(http1);
        if (r == 0 && http1->ahead.size == 0)
                r = parse(http1, data, size, &used);
        return r < 0 ? r : keep(http1, data + used, size - used);
}

/* ---- what the caller asks ---- */

bool http1_has_input(const struct http1 *http1)
{
        return http1->ahead.size > 0 && !is_waiting(http1) && !is_deaf(http1);
}

bool http1_is_full(const struct http1 *http1)
{
        if (is_deaf(http1))
                return false; /* what comes is dropped */
        return http1->ahead.size > 0 ||
               (http1->stream && http1->stream->unconsumed_bytes >=
                                         http1->session->limits->stream_window_bytes);
}

bool http1_is_over(const struct http1 *http1)
{
        const struct session *session = http1->session;
        bool is_idle = !session->block_continues && http1->ahead.size == 0;

        return !http1->stream && !http1_has_output(http1) &&
               (http1->closes || session->terminated || (session->drain >= DRAIN_DUE && is_idle));
}
