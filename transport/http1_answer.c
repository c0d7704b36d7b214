/* SPDX-License-Identifier: MIT */
#include "transport/http1.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/number.h"
#include "transport/http1_status.h"
#include "transport/session.h"

/* The largest piece at once: with a chunk's size it is not larger than a frame, for which an output has room. */
#define PIECE_BYTES_MAX ((size_t)16384)

/* What is read and dropped of a body behind the answer, so that the connection can be kept. */
#define SKIPPED_BYTES_MAX ((uint64_t)65536)

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void set_answer(struct http1 *http1, enum http1_answer answer)
{
        assert(answer > http1->answer); /* forwards only */
        http1->answer = answer;
        http1->sent_bytes = 0;
}

/* ---- what it says ---- */

/* Handlers' values are checked where they are set; this is the last place to keep a line from becoming two. */
static void tame(uint8_t *value, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if ((value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
                        value[i] = ' ';
        }
}

static int append_field(struct http1 *http1, struct http1_bytes *bytes, const nghttp2_nv *field)
{
        int r = http1_append(http1, bytes, field->name, field->namelen);
        size_t value_at;

        if (r == 0)
                r = http1_append_text(http1, bytes, ": ");
        value_at = bytes->size;
        if (r == 0)
                r = http1_append(http1, bytes, field->value, field->valuelen);
        if (r < 0)
                return r;
        tame(bytes->data + value_at, field->valuelen);
        return http1_append_text(http1, bytes, "\r\n");
}

static int append_status(struct http1 *http1, const nghttp2_nv *field)
{
        char code[4] = "500";
        int r;

        if (field->valuelen == 3)
                memcpy(code, field->value, 3);
        http1->is_bodiless |= *code == '1' || strcmp(code, "204") == 0 || strcmp(code, "304") == 0;
        r = http1_append_text(http1, &http1->head, "HTTP/1.1 ");
        if (r == 0)
                r = http1_append(http1, &http1->head, code, 3);
        if (r == 0)
                r = http1_append_text(http1, &http1->head, " ");
        if (r == 0)
                r = http1_append_text(http1, &http1->head, http1_status_phrase(code));
        return r == 0 ? http1_append_text(http1, &http1->head, "\r\n") : r;
}

static bool is_named(const nghttp2_nv *field, const char *name)
{
        return field->namelen == strlen(name) && memcmp(field->name, name, field->namelen) == 0;
}

/* The status, which is the first field, and what follows. How the body ends is said when it is known. */
static int append_fields(struct http1 *http1, const nghttp2_nv *fields, size_t count)
{
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++) {
                if (is_named(fields + i, ":status"))
                        r = append_status(http1, fields + i);
                else if (http1->is_head || !is_named(fields + i, "content-length"))
                        r = append_field(http1, &http1->head, fields + i);
                /* of others it is known when the body is; of a HEAD it is that of a GET */
                http1->is_bodiless |= http1->is_head && is_named(fields + i, "content-length");
        }
        return r;
}

int http1_respond(
        struct http1 *http1, const nghttp2_nv *fields, size_t count, bool end, const char *text)
{
        http1_clear(http1, &http1->head);
        http1->is_bodiless = false;
        if (append_fields(http1, fields, count) < 0)
                return -ENOMEM;
        http1->text = end ? "" : text;
        http1->continues &=
                !http1->text; /* more may come of the body, for which its handler waits */
        set_answer(http1, HTTP1_ANSWER_READY);
        return 0;
}

int http1_submit_trailers(struct http1 *http1, const nghttp2_nv *fields, size_t count)
{
        int r = 0;

        if (count == 0)
                return 0;
        if (http1->tail.size == 0)
                r = http1_append_text(http1, &http1->tail, "0\r\n");
        for (size_t i = 0; i < count && r == 0; i++)
                r = append_field(http1, &http1->tail, fields + i);
        return r;
}

/* ---- its head ---- */

static int append_length(struct http1 *http1, uint64_t length)
{
        static const char name[] = "content-length: ";
        char line[sizeof(name) + NUMBER_DIGITS_MAX + 2];
        size_t size = sizeof(name) - 1;

        memcpy(line, name, size);
        size += number_print(line + size, length);
        memcpy(line + size, "\r\n", 2);
        return http1_append(http1, &http1->head, line, size + 2);
}

/* How long the body is, if that is known. */
static bool know_length(struct http1 *http1, uint64_t *ret_length)
{
        struct session_pull pull;

        if (http1->text) {
                *ret_length = strlen(http1->text);
                return true;
        }
        pull = http1->session->events->on_pull(http1->stream, SIZE_MAX);
        if (!pull.last)
                return false; /* asked again for each piece */
        http1->is_last = true;
        http1->promised_bytes = *ret_length = pull.size;
        return http1->tail.size == 0 || http1->is_old; /* trailers need chunks */
}

/* The length is that of the body which a GET would have; a HEAD for which nobody made one has none. */
static int append_framing(struct http1 *http1)
{
        bool has_no_body = http1->is_bodiless || http1->is_head;
        uint64_t length = 0;

        if (http1->is_bodiless) {
                http1->framing = HTTP1_FRAMING_NONE;
                return 0;
        }
        if (know_length(http1, &length)) {
                http1->framing = has_no_body ? HTTP1_FRAMING_NONE : HTTP1_FRAMING_LENGTH;
                if (http1->is_head && length == 0)
                        return 0;
                return append_length(http1, length);
        }
        if (has_no_body) {
                http1->framing = HTTP1_FRAMING_NONE;
                return 0;
        }
        http1->framing = http1->is_old ? HTTP1_FRAMING_CLOSE : HTTP1_FRAMING_CHUNKED;
        return http1->is_old
                       ? 0
                       : http1_append_text(http1, &http1->head, "transfer-encoding: chunked\r\n");
}

/*
 * A request that is answered before its end has to be read to there before there can be another one. That is worth a little: otherwise a
 * new connection is cheaper. A client that waits for 100 Continue may send its body, or leave it out.
 */
static bool can_be_read_on(const struct http1 *http1)
{
        bool will_come = !http1->awaits_continue || http1->continues;

        return http1->is_whole || (will_come && !(http1->parser.flags & F_CHUNKED) &&
                                          http1->parser.content_length <= SKIPPED_BYTES_MAX);
}

static int append_connection(struct http1 *http1)
{
        bool closes = !http1->is_kept || !can_be_read_on(http1) ||
                      http1->session->drain > DRAIN_NONE || http1->framing == HTTP1_FRAMING_CLOSE;

        http1->closes = closes;
        if (closes)
                return http1_append_text(http1, &http1->head, "connection: close\r\n\r\n");
        return http1_append_text(
                http1, &http1->head, http1->is_old ? "connection: keep-alive\r\n\r\n" : "\r\n");
}

static int finish_head(struct http1 *http1)
{
        int r = append_framing(http1);

        http1->continues &= !http1->is_last; /* all of the answer is there: it does not wait */
        if (r == 0)
                r = append_connection(http1);
        set_answer(http1, HTTP1_ANSWER_HEAD);
        return r;
}

/* ---- sending ---- */

/* Copies the next piece. True: that was the last one. */
static bool send_piece(struct http1 *http1, const struct http1_bytes *bytes, struct output *output)
{
        size_t size = bytes->size - http1->sent_bytes;

        if (size > PIECE_BYTES_MAX)
                size = PIECE_BYTES_MAX;
        output_copy(output, bytes->data + http1->sent_bytes, size);
        http1->sent_bytes += size;
        return http1->sent_bytes == bytes->size;
}

static void send_text(struct http1 *http1, struct output *output)
{
        size_t size = strnlen(http1->text, PIECE_BYTES_MAX);

        output_copy(output, http1->text, size);
        http1->text += size;
}

/* A piece of the body, as a chunk if it is cut into such. */
static void send_data(struct http1 *http1, struct output *output, size_t size)
{
        bool is_chunked = http1->framing == HTTP1_FRAMING_CHUNKED;
        char line[16];

        if (size == 0)
                return;
        if (is_chunked)
                output_copy(output, line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", size));
        http1->session->events->on_write(http1->stream, output, size);
        if (is_chunked)
                output_copy(output, "\r\n", 2);
}

/* False: nothing is there now. */
static bool send_body(struct http1 *http1, struct output *output)
{
        struct session_pull pull = { 0 };

        if (http1->text && *http1->text) {
                send_text(http1, output);
                return true;
        }
        if (!http1->text && !http1->is_last) {
                pull = http1->session->events->on_pull(http1->stream, PIECE_BYTES_MAX);
                http1->is_last = pull.last;
                http1->promised_bytes = pull.size;
                if (pull.size == 0 && !pull.last) {
                        http1->stream->starved = true;
                        return false;
                }
        }
        pull.size =
                http1->promised_bytes < PIECE_BYTES_MAX ? http1->promised_bytes : PIECE_BYTES_MAX;
        send_data(http1, output, pull.size);
        http1->promised_bytes -= pull.size;
        return true;
}

static bool body_is_sent(const struct http1 *http1)
{
        if (http1->framing == HTTP1_FRAMING_NONE)
                return true;
        return http1->text ? *http1->text == '\0' : http1->is_last && http1->promised_bytes == 0;
}

static int begin_tail(struct http1 *http1)
{
        int r = 0;

        set_answer(http1, HTTP1_ANSWER_TAIL);
        if (http1->tail.size == 0)
                r = http1_append_text(http1, &http1->tail, "0\r\n");
        return r == 0 ? http1_append_text(http1, &http1->tail, "\r\n") : r;
}

static void send_continue(struct http1 *http1, struct output *output)
{
        if (!http1->continues)
                return;
        output_copy(output, continue_line, sizeof(continue_line) - 1);
        http1->continues = http1->awaits_continue = false;
}

/* One step, for which there is room. 1; 0: nothing more is there now; -ENOMEM. */
static int send_step(struct http1 *http1, struct output *output)
{
        switch (http1->answer) {
        case HTTP1_ANSWER_READY:
                return finish_head(http1) < 0 ? -ENOMEM : 1;
        case HTTP1_ANSWER_HEAD:
                send_continue(http1, output);
                if (send_piece(http1, &http1->head, output))
                        set_answer(http1, HTTP1_ANSWER_BODY);
                return 1;
        case HTTP1_ANSWER_BODY:
                if (!body_is_sent(http1))
                        return send_body(http1, output);
                if (http1->framing != HTTP1_FRAMING_CHUNKED)
                        set_answer(http1, HTTP1_ANSWER_DONE);
                else if (begin_tail(http1) < 0)
                        return -ENOMEM;
                return 1;
        case HTTP1_ANSWER_TAIL:
                if (send_piece(http1, &http1->tail, output))
                        set_answer(http1, HTTP1_ANSWER_DONE);
                return 1;
        case HTTP1_ANSWER_DONE:
                http1_close_stream(http1, NGHTTP2_NO_ERROR);
                return 0;
        case HTTP1_ANSWER_NONE:
                break;
        }
        return 0;
}

static const char *code_of_reset(uint32_t error_code)
{
        switch (error_code) {
        case NGHTTP2_CANCEL: /* its deadline */
                return "504";
        case NGHTTP2_ENHANCE_YOUR_CALM:
        case NGHTTP2_REFUSED_STREAM:
                return "503";
        default:
                return "500";
        }
}

void http1_reset(struct http1 *http1, uint32_t error_code)
{
        if (http1->stream->is_reset)
                return;
        http1->stream->is_reset = true;
        http1->reset_code = error_code;
}

/* The connection's last answer. */
static void append_last(struct http1 *http1, const char *code, const char *why)
{
        bool has_text = why && http1->parser.method != HTTP_HEAD;
        char head[256];
        int size = snprintf(head, sizeof(head),
                "HTTP/1.1 %s %s\r\nconnection: close\r\n%scontent-length: %zu\r\n\r\n", code,
                http1_status_phrase(code), why ? "content-type: text/plain\r\n" : "",
                why ? strlen(why) + 1 : 0);

        if (http1_append(http1, &http1->head, head, (size_t)size) < 0 || !has_text)
                return;
        (void)http1_append_text(http1, &http1->head, why);
        (void)http1_append_text(http1, &http1->head, "\n");
}

/* HTTP/1.1 has no resets: an answer that has begun is cut off by the connection's end, one that has not becomes an error. */
void http1_end_with(struct http1 *http1, uint32_t error_code, const char *code, const char *why)
{
        bool is_begun = http1->answer > HTTP1_ANSWER_READY;

        http1->closes = true;
        if (http1->stream)
                http1_close_stream(http1, error_code);
        if (!is_begun)
                append_last(http1, code, why);
}

/* What is said without a stream: a refusal. */
static void send_last_words(struct http1 *http1, struct output *output)
{
        while (http1->head.size > http1->sent_bytes && output_has_room(output, 1))
                (void)send_piece(http1, &http1->head, output);
}

bool http1_has_output(const struct http1 *http1)
{
        const struct stream *stream = http1->stream;

        if (http1->session->raw || http1->continues)
                return true;
        if (!stream)
                return http1->head.size > http1->sent_bytes;
        return stream->is_reset || (http1->answer != HTTP1_ANSWER_NONE && !stream->starved);
}

int http1_fill(struct http1 *http1, struct output *output)
{
        int r = 1;

        if (http1->answer == HTTP1_ANSWER_NONE && output_has_room(output, 1))
                send_continue(http1, output);
        if (http1->stream && http1->stream->is_reset)
                http1_end_with(http1, http1->reset_code, code_of_reset(http1->reset_code), NULL);
        while (http1->stream && r > 0 && output_has_room(output, 1))
                r = send_step(http1, output);
        if (!http1->stream)
                send_last_words(http1, output);
        return r < 0 ? r : 0;
}
