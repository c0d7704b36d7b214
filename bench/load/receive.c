/* SPDX-License-Identifier: MIT */
#include "bench/load/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/clock.h"
#include "bench/load/load.h"

#define BLOCK_BYTES_MAX 65536u

/* What one read brought, as far as it is not followed yet. */
struct bytes {
        const unsigned char *at;
        size_t size;
};

/* ---- the end of a call ---- */

static void end_stream(
        struct connection *connection, struct stream *stream, const struct hpack_fields *trailers)
{
        char text[ERROR_BYTES_MAX];
        const char *problem = stream_verdict(stream, trailers, text, sizeof(text));

        /* It answered before it had all of the request: the rest is not wanted. */
        if (!stream->half_closed) {
                unsigned char code[4];

                h2_put_u32(code, H2_CANCEL);
                connection_write_frame(connection,
                        (struct h2_frame){ .type = H2_RST_STREAM,
                                .length = sizeof(code),
                                .stream_id = stream->id },
                        code);
        }
        connection_end_stream(connection, stream, problem, connection->load->now_ns);
}

/* ---- DATA ---- */

static void give_window_back(
        struct connection *connection, uint32_t stream_id, uint32_t *unacknowledged, size_t size)
{
        unsigned char increment[4];

        *unacknowledged += (uint32_t)size;
        if (*unacknowledged < RECEIVE_WINDOW_BYTES / 2)
                return;
        h2_put_u32(increment, *unacknowledged);
        connection_write_frame(connection,
                (struct h2_frame){ .type = H2_WINDOW_UPDATE,
                        .length = sizeof(increment),
                        .stream_id = stream_id },
                increment);
        *unacknowledged = 0;
}

/* @payload: its first byte is here when it is padded, nothing else need be. */
static bool begin_data(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        struct inbox *inbox = &connection->inbox;
        uint32_t padding = (frame->flags & H2_FLAG_PADDED) ? *payload : 0;
        uint32_t unseen = (frame->flags & H2_FLAG_PADDED) ? padding + 1 : 0;
        bool known;
        struct stream *stream = connection_find_stream(connection, frame->stream_id, &known);

        if (!known || unseen > frame->length)
                return LOSE(connection, "PROTOCOL_ERROR: DATA");
        inbox->data_stream = frame->stream_id;
        inbox->data_left = frame->length - unseen;
        inbox->padding_left = padding;
        inbox->data_ends = frame->flags & H2_FLAG_END_STREAM;
        give_window_back(connection, 0, &connection->unacknowledged, frame->length);
        if (stream && !inbox->data_ends)
                give_window_back(
                        connection, frame->stream_id, &stream->unacknowledged, frame->length);
        return true;
}

static bool in_data(const struct inbox *inbox)
{
        return inbox->data_stream != 0;
}

static void take(struct bytes *bytes, size_t size)
{
        bytes->at += size;
        bytes->size -= size;
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* As much of the DATA frame as is here. */
static void take_data(struct connection *connection, struct bytes *bytes)
{
        struct inbox *inbox = &connection->inbox;
        size_t size = least(bytes->size, inbox->data_left), padding;
        bool known;
        /* May have ended by our own RST_STREAM, or failed: then it is NULL. */
        struct stream *stream = connection_find_stream(connection, inbox->data_stream, &known);

        if (stream && size > 0) {
                stream_take_data(stream, bytes->at, size);
                connection_resume_stream(connection, stream);
        }
        take(bytes, size);
        inbox->data_left -= (uint32_t)size;
        padding = least(bytes->size, inbox->padding_left);
        take(bytes, padding);
        inbox->padding_left -= (uint32_t)padding;
        if (inbox->data_left > 0 || inbox->padding_left > 0)
                return;
        inbox->data_stream = 0;
        if (stream && inbox->data_ends)
                end_stream(connection, stream, NULL);
}

/* ---- header blocks ---- */

static bool on_block(struct connection *connection, uint32_t stream_id, bool ends,
        const unsigned char *block, size_t size)
{
        const struct hpack_fields *fields = hpack_decode(&connection->decoder, block, size);
        bool known;
        struct stream *stream = connection_find_stream(connection, stream_id, &known);

        if (!fields)
                return LOSE(connection, "COMPRESSION_ERROR: header block");
        if (!known)
                return LOSE(connection, "PROTOCOL_ERROR: HEADERS");
        if (!stream)
                return true;
        stream_take_fields(stream, fields, ends);
        if (ends)
                end_stream(connection, stream, fields);
        return true;
}

static bool keep_block(struct connection *connection, const unsigned char *part, size_t size)
{
        struct inbox *inbox = &connection->inbox;

        if (!inbox->block)
                inbox->block = malloc(BLOCK_BYTES_MAX);
        if (!inbox->block || size > BLOCK_BYTES_MAX - inbox->block_bytes)
                return LOSE(connection, "header block of more than %u bytes", BLOCK_BYTES_MAX);
        memcpy(inbox->block + inbox->block_bytes, part, size);
        inbox->block_bytes += size;
        return true;
}

static bool on_headers(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        size_t size = frame->length, padding = 0;
        bool ends = frame->flags & H2_FLAG_END_STREAM;

        if (frame->flags & H2_FLAG_PADDED) {
                padding = size > 0 ? (size_t)*payload + 1 : 1;
                payload++;
        }
        if (frame->flags & H2_FLAG_PRIORITY) {
                padding += 5;
                payload += 5;
        }
        if (padding > size)
                return LOSE(connection, "PROTOCOL_ERROR: HEADERS");
        size -= padding;
        if (frame->flags & H2_FLAG_END_HEADERS)
                return on_block(connection, frame->stream_id, ends, payload, size);
        connection->inbox.block_stream = frame->stream_id;
        connection->inbox.block_ends = ends;
        connection->inbox.block_bytes = 0;
        return keep_block(connection, payload, size);
}

static bool on_continuation(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        struct inbox *inbox = &connection->inbox;
        uint32_t stream_id = inbox->block_stream;

        if (!keep_block(connection, payload, frame->length))
                return false;
        if (!(frame->flags & H2_FLAG_END_HEADERS))
                return true;
        inbox->block_stream = 0;
        return on_block(connection, stream_id, inbox->block_ends, inbox->block, inbox->block_bytes);
}

/* ---- frames ---- */

static bool on_frame(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        if (frame->type == H2_HEADERS)
                return on_headers(connection, frame, payload);
        if (frame->type == H2_CONTINUATION)
                return on_continuation(connection, frame, payload);
        return connection_on_control(connection, frame, payload);
}

/* Nothing may come between the parts of a header block. */
static bool is_in_place(const struct connection *connection, const struct h2_frame *frame)
{
        uint32_t stream_id = connection->inbox.block_stream;

        return stream_id == 0 ? frame->type != H2_CONTINUATION
                              : frame->type == H2_CONTINUATION && frame->stream_id == stream_id;
}

/* Begins with the frame at the front, or follows it if it must be whole for that. *ret_taken: 0,
 * more of it must come first. False: the connection is lost. */
static bool follow_frame(
        struct connection *connection, const struct bytes *bytes, size_t *ret_taken)
{
        const unsigned char *payload = bytes->at + H2_FRAME_HEADER_BYTES;
        size_t needed = H2_FRAME_HEADER_BYTES;
        struct h2_frame frame;

        *ret_taken = 0;
        if (bytes->size < needed)
                return true;
        frame = h2_get_frame(bytes->at);
        if (frame.length > H2_FRAME_BYTES_MAX)
                return LOSE(connection, "FRAME_SIZE_ERROR: %u bytes", frame.length);
        if (!is_in_place(connection, &frame))
                return LOSE(connection, "PROTOCOL_ERROR: CONTINUATION");
        if (frame.type != H2_DATA)
                needed += frame.length;
        else if (frame.flags & H2_FLAG_PADDED)
                needed++;
        if (bytes->size < needed)
                return true;
        *ret_taken = needed;
        return frame.type == H2_DATA ? begin_data(connection, &frame, payload)
                                     : on_frame(connection, &frame, payload);
}

/* Follows all there is but the beginning of a frame, which is left. False: the connection is
 * lost. */
static bool follow(struct connection *connection, struct bytes *bytes)
{
        size_t taken;

        do {
                if (in_data(&connection->inbox))
                        take_data(connection, bytes);
                if (!follow_frame(connection, bytes, &taken))
                        return false;
                take(bytes, taken);
        } while (taken > 0);
        return true;
}

static void keep_rest(struct connection *connection, const struct bytes *rest)
{
        struct inbox *inbox = &connection->inbox;

        inbox->rest_bytes = rest->size;
        if (rest->size == 0)
                return;
        if (!inbox->rest)
                inbox->rest = malloc(RECEIVE_REST_BYTES_MAX);
        if (inbox->rest)
                memcpy(inbox->rest, rest->at, rest->size);
        else
                connection_lose(connection, "out of memory");
}

void connection_receive(struct connection *connection)
{
        struct inbox *inbox = &connection->inbox;
        unsigned char *at = connection->load->inbox;
        struct bytes bytes = { .at = at, .size = inbox->rest_bytes };
        ssize_t received;

        if (inbox->rest_bytes > 0)
                memcpy(at, inbox->rest, inbox->rest_bytes);
        received = recv(connection->fd, at + inbox->rest_bytes, LOAD_READ_BYTES_MAX, MSG_DONTWAIT);
        if (received < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (received < 0)
                connection_lose(connection, "connection lost: %s", strerror(errno));
        else if (received == 0)
                connection_lose(connection, "connection closed by the server");
        if (received <= 0)
                return;
        load_on_read(connection->load, (size_t)received);
        bytes.size += (size_t)received;
        if (follow(connection, &bytes))
                keep_rest(connection, &bytes);
}
