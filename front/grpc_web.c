/* SPDX-License-Identifier: MIT */
#include "front/grpc_web.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "call/compression.h"
#include "call/encoding.h"
#include "codec/base64.h"
#include "codec/framing.h"
#include "codec/status.h"
#include "front/last_piece.h"
#include "front/text.h"

#define TRAILERS_FLAG 0x80

/* ---- the end ---- */

static void add_trailer(
        struct text *text, const char *name, size_t name_size, const char *value, size_t value_size)
{
        text_add(text, name, name_size);
        text_add_string(text, ": ");
        text_add(text, value, value_size);
        text_add_string(text, "\r\n");
}

static void add_trailers(
        struct text *text, const struct quoit_call *call, const struct dialect_end *end)
{
        const char *status = status_format(end->status), *pushback = call->ring.pushback_ms;
        const struct field *field = end->trailers ? end->trailers->first : NULL;

        add_trailer(text, "grpc-status", strlen("grpc-status"), status, strlen(status));
        if (end->text_size > 0)
                add_trailer(
                        text, "grpc-message", strlen("grpc-message"), end->text, end->text_size);
        if (*pushback)
                add_trailer(text, "grpc-retry-pushback-ms", strlen("grpc-retry-pushback-ms"),
                        pushback, strlen(pushback));
        for (; field; field = field->next)
                add_trailer(text, field->name, field->name_size, field->value, field->value_size);
}

/* The frame of the trailers; @text is empty. */
static void make_frame(
        struct text *text, const struct quoit_call *call, const struct dialect_end *end)
{
        uint8_t prefix[FRAMING_PREFIX_BYTES] = { 0 };

        text_add(text, prefix, sizeof(prefix));
        add_trailers(text, call, end);
        framing_write_prefix((uint8_t *)text->data, false, (uint32_t)(text->size - sizeof(prefix)));
        text->data[0] = (char)TRAILERS_FLAG;
}

static void end_binary(struct quoit_call *call, const struct dialect_end *end)
{
        struct text frame;

        text_init(&frame);
        make_frame(&frame, call, end);
        last_piece_send(call, end, &frame);
        text_deinit(&frame);
}

static void end_text(struct quoit_call *call, const struct dialect_end *end)
{
        struct text frame, body;

        text_init(&frame);
        text_init(&body);
        make_frame(&frame, call, end);
        text_add_base64(&body, frame.data, frame.size, true);
        body.failed |= frame.failed;
        last_piece_send(call, end, &body);
        text_deinit(&body);
        text_deinit(&frame);
}

/* ---- base64 ---- */

#define PIECE_CHARACTERS ((size_t)2048) /* decoded at once */

/* Characters of a group of four that is not whole yet. */
struct rest {
        uint8_t count;
        char characters[4];
};

static quoit_status begin_text(struct quoit_call *call, const char **ret_text)
{
        call->exchange.sends_unframed = true;
        call->front->state = call_alloc(call, sizeof(struct rest));
        if (call->front->state)
                return QUOIT_OK;
        *ret_text = "out of memory";
        return QUOIT_RESOURCE_EXHAUSTED;
}

static int feed_decoded(struct quoit_call *call, const char *text, size_t size)
{
        uint8_t bytes[PIECE_CHARACTERS];

        if (base64_decode(bytes, text, size, &size) < 0)
                return -EPROTO;
        return reader_feed(&call->exchange, bytes, size);
}

/* How many characters can be decoded at once: whole groups, of which only the last is padded. */
static size_t groups_size(const char *text, size_t size)
{
        const char *padding;

        size = (size < PIECE_CHARACTERS ? size : PIECE_CHARACTERS) / 4 * 4;
        padding = memchr(text, '=', size);
        return padding ? (size_t)(padding - text) / 4 * 4 + 4 : size;
}

/* Completes the group that an earlier piece has begun. */
static int feed_rest(struct quoit_call *call, struct rest *rest, const char **text, size_t *size)
{
        while (rest->count < 4 && *size > 0) {
                rest->characters[rest->count++] = *(*text)++;
                --*size;
        }
        if (rest->count < 4)
                return 0;
        rest->count = 0;
        return feed_decoded(call, rest->characters, 4);
}

static int receive_text(struct quoit_call *call, const uint8_t *data, size_t size)
{
        struct rest *rest = call->front->state;
        const char *text = (const char *)data;
        int r = rest->count > 0 ? feed_rest(call, rest, &text, &size) : 0;

        while (r == 0 && size >= 4) {
                size_t n = groups_size(text, size);

                r = feed_decoded(call, text, n);
                text += n;
                size -= n;
        }
        return r == 0 && size > 0 ? feed_rest(call, rest, &text, &size) : r;
}

static int end_receive_text(struct quoit_call *call)
{
        struct rest *rest = call->front->state;

        return rest->count > 0 ? feed_decoded(call, rest->characters, rest->count) : 0;
}

static int seal_text(struct quoit_call *call, struct encoding *encoding)
{
        struct coders *coders = call_coders(call);
        size_t size = (encoding->size + 2) / 3 * 4;
        uint8_t *memory = coders_memory(coders, encoding->size + size);
        size_t written;
        int r;

        if (!memory)
                return -ENOMEM;
        encoding_copy(encoding, memory + size);
        written = base64_encode((char *)memory, memory + size, encoding->size);
        memset(memory + written, '=', size - written);
        r = encoding_replace(encoding, memory, size);
        coders_trim(coders);
        return r;
}

const struct dialect grpc_web = {
        .protocol = QUOIT_PROTOCOL_GRPC_WEB,
        .malformed = QUOIT_INTERNAL,
        .encoding_field = "grpc-encoding",
        .accept_field = "grpc-accept-encoding",
        .end = end_binary,
};

const struct dialect grpc_web_text = {
        .protocol = QUOIT_PROTOCOL_GRPC_WEB,
        .malformed = QUOIT_INTERNAL,
        .encoding_field = "grpc-encoding",
        .accept_field = "grpc-accept-encoding",
        .begin = begin_text,
        .receive = receive_text,
        .receive_end = end_receive_text,
        .seal = seal_text,
        .end = end_text,
};
