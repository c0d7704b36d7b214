/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "bench/load/connection.h"
#include "bench/load/load.h"

/* Frames other than answers: settings, windows, ends of streams and connections. */

/* Changes what streams may send by @change. False: beyond what a window may be. */
static bool change_windows(struct connection *connection, int64_t change)
{
        for (uint32_t i = 0; i <= connection->stream_mask; i++) {
                struct stream *stream = &connection->streams[i];

                if (stream->id == 0)
                        continue;
                stream->window += change;
                if (stream->window > H2_WINDOW_MAX)
                        return false;
                list_remove(&stream->link);
                connection_resume_stream(connection, stream);
        }
        return true;
}

static bool on_setting(struct connection *connection, uint32_t setting, uint32_t value)
{
        uint32_t window = connection->stream_window;

        switch (setting) {
        case H2_SETTING_HEADER_TABLE_SIZE:
                hpack_encoder_resize(&connection->encoder, value);
                break;
        case H2_SETTING_MAX_CONCURRENT_STREAMS:
                connection->streams_max = value;
                break;
        case H2_SETTING_INITIAL_WINDOW_SIZE:
                connection->stream_window = value;
                if (value > H2_WINDOW_MAX ||
                        !change_windows(connection, (int64_t)value - (int64_t)window))
                        return LOSE(connection, "FLOW_CONTROL_ERROR: SETTINGS");
                break;
        case H2_SETTING_MAX_FRAME_SIZE:
                if (value < H2_FRAME_BYTES_MAX || value > H2_FRAME_BYTES_LIMIT)
                        return LOSE(connection, "PROTOCOL_ERROR: SETTINGS_MAX_FRAME_SIZE");
                connection->frame_bytes_max = value;
                break;
        default:
                break;
        }
        return true;
}

static bool on_settings(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        if (frame->flags & H2_FLAG_ACK)
                return true;
        if (frame->length % H2_SETTING_BYTES != 0)
                return LOSE(connection, "FRAME_SIZE_ERROR: SETTINGS");
        for (uint32_t i = 0; i < frame->length; i += H2_SETTING_BYTES)
                if (!on_setting(connection, h2_get_u16(payload + i), h2_get_u32(payload + i + 2)))
                        return false;
        connection_write_frame(
                connection, (struct h2_frame){ .type = H2_SETTINGS, .flags = H2_FLAG_ACK }, NULL);
        if (!connection->ready)
                load_on_ready(connection->load, connection->streams_max);
        connection->ready = true;
        return true;
}

static bool on_ping(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        struct h2_frame answer = *frame;

        if (frame->length != 8)
                return LOSE(connection, "FRAME_SIZE_ERROR: PING");
        if (frame->flags & H2_FLAG_ACK)
                return true;
        answer.flags = H2_FLAG_ACK;
        connection_write_frame(connection, answer, payload);
        return true;
}

static bool on_window_update(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        uint32_t increment = frame->length == 4 ? h2_get_u32(payload) & H2_WINDOW_MAX : 0;
        struct stream *stream;
        bool known;

        if (increment == 0)
                return LOSE(connection, "PROTOCOL_ERROR: WINDOW_UPDATE");
        if (frame->stream_id == 0) {
                connection->window += increment;
                return connection->window <= H2_WINDOW_MAX ||
                       LOSE(connection, "FLOW_CONTROL_ERROR: WINDOW_UPDATE");
        }
        stream = connection_find_stream(connection, frame->stream_id, &known);
        if (!known)
                return LOSE(connection, "PROTOCOL_ERROR: WINDOW_UPDATE");
        if (!stream)
                return true;
        stream->window += increment;
        if (stream->window > H2_WINDOW_MAX)
                return LOSE(connection, "FLOW_CONTROL_ERROR: WINDOW_UPDATE");
        connection_resume_stream(connection, stream);
        return true;
}

static bool on_rst_stream(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        char text[ERROR_BYTES_MAX];
        struct stream *stream;
        bool known;

        stream = connection_find_stream(connection, frame->stream_id, &known);
        if (frame->length != 4 || !known)
                return LOSE(connection, "PROTOCOL_ERROR: RST_STREAM");
        if (!stream)
                return true;
        snprintf(text, sizeof(text), "RST_STREAM %s", h2_error_name(h2_get_u32(payload)));
        connection_end_stream(connection, stream, text, connection->load->now_ns);
        return true;
}

static bool on_goaway(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        char text[ERROR_BYTES_MAX];
        uint32_t last;

        if (frame->length < 8)
                return LOSE(connection, "FRAME_SIZE_ERROR: GOAWAY");
        last = h2_get_u32(payload) & H2_STREAM_ID_MAX;
        connection->draining = true;
        connection->goaway_code = h2_get_u32(payload + 4);
        snprintf(text, sizeof(text), "GOAWAY %s", h2_error_name(connection->goaway_code));
        for (uint32_t i = 0; i <= connection->stream_mask; i++)
                if (connection->streams[i].id > last)
                        connection_end_stream(connection, &connection->streams[i], text,
                                connection->load->now_ns);
        return true;
}

bool connection_on_control(
        struct connection *connection, const struct h2_frame *frame, const unsigned char *payload)
{
        switch (frame->type) {
        case H2_RST_STREAM:
                return on_rst_stream(connection, frame, payload);
        case H2_SETTINGS:
                return on_settings(connection, frame, payload);
        case H2_PING:
                return on_ping(connection, frame, payload);
        case H2_GOAWAY:
                return on_goaway(connection, frame, payload);
        case H2_WINDOW_UPDATE:
                return on_window_update(connection, frame, payload);
        case H2_PUSH_PROMISE:
                return LOSE(connection, "PROTOCOL_ERROR: PUSH_PROMISE");
        default:
                return true; /* PRIORITY, and future types of frames */
        }
}
