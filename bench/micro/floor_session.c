/* SPDX-License-Identifier: MIT */
#include "bench/micro/floor_session.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 9
#define WINDOW_DEFAULT_BYTES 65535
#define WINDOW_BYTES_MAX INT32_MAX
#define REOPEN_BYTES ((uint32_t)1 << 30)

enum frame { FRAME_DATA = 0, FRAME_HEADERS = 1, FRAME_SETTINGS = 4, FRAME_WINDOW_UPDATE = 8 };
enum flag { FLAG_ACK = 1, FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_BYTES (sizeof(preface) - 1)

/* ---- what is sent ---- */

/* A frame's header on stream 0. */
#define FRAME(length, type, flags) 0, 0, length, type, flags, 0, 0, 0, 0

/* {message: "Hello World!"} and its prefix */
#define MESSAGE 0, 0, 0, 0, 14, 0x0a, 12, 'H', 'e', 'l', 'l', 'o', ' ', 'W', 'o', 'r', 'l', 'd', '!'
#define MESSAGE_BYTES 19

/*
 * An answer is HEADERS, DATA and trailers. The first of a connection puts content-type (static name
 * 31) and grpc-status into the client's HPACK table, the others find them there at 63 and 62.
 */
#define FIRST_HEAD_BYTES 19
#define FIRST_TRAILER_BYTES 15
/* clang-format off: a line is a part of the answer */
static const uint8_t first_answer[] = {
        FRAME(FIRST_HEAD_BYTES, FRAME_HEADERS, FLAG_END_HEADERS),
        0x88, /* :status 200 */
        0x40 | 31,
        16,
        'a',
        'p',
        'p',
        'l',
        'i',
        'c',
        'a',
        't',
        'i',
        'o',
        'n',
        '/',
        'g',
        'r',
        'p',
        'c',
        FRAME(MESSAGE_BYTES, FRAME_DATA, 0),
        MESSAGE,
        FRAME(FIRST_TRAILER_BYTES, FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM),
        0x40,
        11,
        'g',
        'r',
        'p',
        'c',
        '-',
        's',
        't',
        'a',
        't',
        'u',
        's',
        1,
        '0',
};
#define HEAD_BYTES 2
#define TRAILER_BYTES 1
static const uint8_t answer[] = {
        FRAME(HEAD_BYTES, FRAME_HEADERS, FLAG_END_HEADERS),
        0x88,
        0x80 | 63,
        FRAME(MESSAGE_BYTES, FRAME_DATA, 0),
        MESSAGE,
        FRAME(TRAILER_BYTES, FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM),
        0x80 | 62,
};
/* clang-format on */
static_assert(sizeof(first_answer) ==
                      3 * HEADER_BYTES + FIRST_HEAD_BYTES + MESSAGE_BYTES + FIRST_TRAILER_BYTES,
        "as its frames say");
static_assert(sizeof(answer) == 3 * HEADER_BYTES + HEAD_BYTES + MESSAGE_BYTES + TRAILER_BYTES,
        "as its frames say");

static uint8_t *output_extend(struct floor_output *output, size_t size)
{
        if (output->capacity - output->size < size) {
                output->capacity = 2 * output->capacity + size;
                output->bytes = realloc(output->bytes, output->capacity);
                if (!output->bytes) {
                        fputs("floor-server: out of memory\n", stderr);
                        exit(EXIT_FAILURE);
                }
        }
        output->size += size;
        return output->bytes + output->size - size;
}

static void put_frame(struct floor_output *output, const void *frame, size_t size)
{
        memcpy(output_extend(output, size), frame, size);
}

static void put_window_update(struct floor_output *output, uint32_t bytes)
{
        static const uint8_t header[] = { FRAME(4, FRAME_WINDOW_UPDATE, 0) };

        put_frame(output, header, sizeof(header));
        bytes = htobe32(bytes);
        put_frame(output, &bytes, sizeof(bytes));
}

/* @id as it stands in a frame's header. */
static void put_answer(
        struct floor_session *session, const uint8_t id[4], struct floor_output *output)
{
        bool again = session->answered;
        size_t size = again ? sizeof(answer) : sizeof(first_answer);
        size_t data = HEADER_BYTES + (again ? HEAD_BYTES : FIRST_HEAD_BYTES);
        size_t trailers = data + HEADER_BYTES + MESSAGE_BYTES;
        uint8_t *out = output_extend(output, size);

        memcpy(out, again ? answer : first_answer, size);
        memcpy(out + 5, id, 4);
        memcpy(out + data + 5, id, 4);
        memcpy(out + trailers + 5, id, 4);
        session->answered = true;
}

/* ---- what is received ---- */

static void take_frame(
        struct floor_session *session, const uint8_t *header, struct floor_output *output)
{
        static const uint8_t settings_ack[] = { FRAME(0, FRAME_SETTINGS, FLAG_ACK) };
        uint8_t type = header[3], flags = header[4];

        session->skip = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
        if (type == FRAME_DATA)
                session->data_bytes += session->skip;
        if (type <= FRAME_HEADERS && flags & FLAG_END_STREAM)
                put_answer(session, header + 5, output);
        else if (type == FRAME_SETTINGS && !(flags & FLAG_ACK))
                put_frame(output, settings_ack, sizeof(settings_ack));
}

/* Completes a header that came in pieces. */
static size_t feed_header(struct floor_session *session, const uint8_t *data, size_t size,
        struct floor_output *output)
{
        size_t missing = HEADER_BYTES - session->header_size;
        size_t taken = size < missing ? size : missing;

        memcpy(session->header + session->header_size, data, taken);
        session->header_size += (uint8_t)taken;
        if (session->header_size == HEADER_BYTES) {
                session->header_size = 0;
                take_frame(session, session->header, output);
        }
        return taken;
}

bool floor_session_feed(struct floor_session *session, const uint8_t *data, size_t size,
        struct floor_output *output)
{
        const uint8_t *end = data + size;

        for (; session->preface_size < PREFACE_BYTES && data < end; data++) {
                if (*data != (uint8_t)preface[session->preface_size++])
                        return false;
        }
        while (data < end) {
                size_t left = (size_t)(end - data);

                if (session->skip >= left) {
                        session->skip -= (uint32_t)left;
                        break;
                }
                data += session->skip;
                left -= session->skip;
                session->skip = 0;
                if (session->header_size > 0 || left < HEADER_BYTES) {
                        data += feed_header(session, data, left, output);
                } else {
                        take_frame(session, data, output);
                        data += HEADER_BYTES;
                }
        }
        if (session->data_bytes >= REOPEN_BYTES) {
                put_window_update(output, session->data_bytes);
                session->data_bytes = 0;
        }
        return true;
}

void floor_session_open(struct floor_output *output)
{
        /* SETTINGS_INITIAL_WINDOW_SIZE: 2^31 - 1 */
        static const uint8_t settings[] = { FRAME(6, FRAME_SETTINGS, 0), 0, 4, 0x7f, 0xff, 0xff,
                0xff };

        put_frame(output, settings, sizeof(settings));
        put_window_update(output, WINDOW_BYTES_MAX - WINDOW_DEFAULT_BYTES);
}

void floor_output_deinit(struct floor_output *output)
{
        free(output->bytes);
        *output = (struct floor_output){};
}
