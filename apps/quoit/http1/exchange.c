/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <ctype.h>
#include <errno.h>
#include <llhttp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "../doctor/elapsed.h"
#include "../text_copy.h"
#include "fields.h"
#include "upb/mem/arena.h"

struct answer {
        struct exchange *exchange;
        llhttp_t parser; /* its `data` is this */
        struct bytes name, value; /* of the newest field */
        struct metadata fields;
        size_t bytes; /* of the fields */
        int error; /* what has ended it: a negative errno */
        bool is_whole;
};

/* ---- llhttp's callbacks: -1 ends it, where the answer's error says why ---- */

static int end_with(struct answer *answer, int error)
{
        answer->error = error;
        return -1;
}

static int gather(llhttp_t *parser, struct bytes *bytes, const char *data, size_t size)
{
        struct answer *answer = parser->data;

        answer->bytes += size;
        if (answer->bytes > ANSWER_FIELD_BYTES_MAX)
                return end_with(answer, -EMSGSIZE);
        return bytes_add(bytes, data, size) < 0 ? end_with(answer, -ENOMEM) : 0;
}

static int on_name(llhttp_t *parser, const char *data, size_t size)
{
        return gather(parser, &((struct answer *)parser->data)->name, data, size);
}

static int on_value(llhttp_t *parser, const char *data, size_t size)
{
        return gather(parser, &((struct answer *)parser->data)->value, data, size);
}

static int keep_field(struct answer *answer)
{
        struct upb_Arena *arena = answer->exchange->arena;
        char *name = text_copy(bytes_view(&answer->name), arena);
        char *value = text_copy(bytes_view(&answer->value), arena);
        quoit_metadata field = { .name = name };
        int r;

        if (!name || !value)
                return end_with(answer, -ENOMEM);
        for (char *c = name; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        for (size_t size = answer->value.size; size > 0 && strchr(" \t", value[size - 1]);)
                answer->value.size = --size;
        field.value = upb_StringView_FromDataAndSize(value, answer->value.size);
        r = fields_append(&answer->fields, field, arena);
        return r < 0 ? end_with(answer, r) : 0;
}

static int on_value_complete(llhttp_t *parser)
{
        struct answer *answer = parser->data;
        int r = keep_field(answer);

        answer->name.size = answer->value.size = 0;
        return r;
}

/* 100 Continue, 103 Early Hints: the answer is yet to come. */
static bool is_informational(const llhttp_t *parser)
{
        return parser->status_code < 200;
}

static int on_headers_complete(llhttp_t *parser)
{
        struct answer *answer = parser->data;
        struct exchange *exchange = answer->exchange;
        int r;

        if (parser->http_major != 1)
                return end_with(answer, -EBADMSG);
        parser->upgrade = 0;
        r = is_informational(parser)
                    ? 0
                    : exchange->on_head(parser->status_code, &answer->fields, exchange->user);
        answer->fields = (struct metadata){ 0 };
        return r < 0 ? end_with(answer, r) : 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
        struct answer *answer = parser->data;
        int r = answer->exchange->on_body(data, size, answer->exchange->user);

        return r < 0 ? end_with(answer, r) : 0;
}

static int on_message_complete(llhttp_t *parser)
{
        struct answer *answer = parser->data;

        if (is_informational(parser))
                return 0;
        answer->is_whole = true;
        return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
};

static int parse(struct answer *answer, const char *bytes, size_t size)
{
        llhttp_errno_t problem = size ? llhttp_execute(&answer->parser, bytes, size)
                                      : llhttp_finish(&answer->parser);

        if (answer->error)
                return answer->error;
        if (answer->is_whole)
                return 0;
        if (size == 0)
                return -ECONNRESET;
        return problem == HPE_OK ? 0 : -EBADMSG;
}

/* ---- bytes ---- */

/*
 * What can be done at once: how many bytes; 0: the peer has closed; -EAGAIN; -ECONNRESET: also, it has gone without close_notify, and
 * somebody on the way may have cut off the rest; or another negative errno.
 */
static ssize_t tls_result(const struct wire *wire, int ok, size_t count)
{
        if (ok)
                return (ssize_t)count;
        switch (SSL_get_error(wire->ssl, ok)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                return errno ? -errno : -ECONNRESET;
        default:
                return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                               ? -ECONNRESET
                               : -EPROTO;
        }
}

static ssize_t plain_result(ssize_t count)
{
        if (count >= 0)
                return count;
        return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t read_some(struct wire *wire, char *bytes, size_t size)
{
        size_t count = 0;

        if (!wire->ssl)
                return plain_result(recv(wire->fd, bytes, size, 0));
        ERR_clear_error();
        errno = 0;
        return tls_result(wire, SSL_read_ex(wire->ssl, bytes, size, &count), count);
}

static ssize_t write_some(struct wire *wire, upb_StringView bytes)
{
        size_t count = 0;

        if (!wire->ssl)
                return plain_result(send(wire->fd, bytes.data, bytes.size, MSG_NOSIGNAL));
        ERR_clear_error();
        errno = 0;
        return tls_result(wire, SSL_write_ex(wire->ssl, bytes.data, bytes.size, &count), count);
}

/* @waits: until something can be done. Sees in any case whether it is to end. */
static int await(const struct exchange *exchange, bool waits, bool has_more)
{
        int left_ms = elapsed_left_ms(exchange->wire->deadline_ns);
        struct pollfd polled[2] = {
                { exchange->wire->fd, (short)(POLLIN | (has_more ? POLLOUT : 0)), 0 },
                { exchange->stop_fd, POLLIN, 0 },
        };
        int r = poll(polled, 2, waits ? left_ms : 0);

        if (r < 0)
                return errno == EINTR ? 0 : -errno;
        if (polled[1].revents)
                return -ECANCELED;
        return left_ms == 0 || (waits && r == 0) ? -ETIMEDOUT : 0;
}

/* Writes what can be. A server that does not want all of it has perhaps answered: then nothing more is sent. */
static void send_some(struct exchange *exchange, upb_StringView *left)
{
        ssize_t count;

        while (left->size > 0) {
                count = write_some(exchange->wire, *left);
                if (count == -EAGAIN)
                        return;
                if (count <= 0)
                        count = (ssize_t)left->size;
                left->data += count;
                left->size -= (size_t)count;
        }
}

static int turn(struct answer *answer, upb_StringView *left)
{
        struct exchange *exchange = answer->exchange;
        char bytes[16384];
        ssize_t count;
        int r;

        send_some(exchange, left);
        count = read_some(exchange->wire, bytes, sizeof(bytes));
        if (count < 0 && count != -EAGAIN)
                return (int)count;
        r = await(exchange, count == -EAGAIN, left->size > 0);
        return r < 0 || count == -EAGAIN ? r : parse(answer, bytes, (size_t)count);
}

int exchange_run(struct exchange *exchange, upb_StringView request)
{
        struct answer answer = { .exchange = exchange };
        int r = 0;

        llhttp_init(&answer.parser, HTTP_RESPONSE, &callbacks);
        answer.parser.data = &answer;
        while (r == 0 && !answer.is_whole)
                r = turn(&answer, &request);
        bytes_deinit(&answer.name);
        bytes_deinit(&answer.value);
        return r;
}
