/* SPDX-License-Identifier: MIT */
#include "bench/load/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/load/load.h"

#define FILL_BYTES_MAX (1u << 20) /* of DATA; then the socket is asked first */
#define STREAM_ID_LAST (H2_STREAM_ID_MAX / 2) /* leaves more than are ever skipped */
#define COPIED_BYTES_MAX 1024 /* larger DATA is sent from where it is */

/* ---- life ---- */

static void watch(struct connection *connection, int operation, uint32_t events)
{
        struct epoll_event event = { .events = events, .data.ptr = connection };

        /* Fails only if the kernel has no memory: then nothing can be measured. */
        if (epoll_ctl(connection->load->epoll_fd, operation, connection->fd, &event) < 0) {
                fprintf(stderr, "quoit-load: epoll_ctl: %s\n", strerror(errno));
                exit(EXIT_FAILURE);
        }
}

static void write_preface(struct connection *connection)
{
        static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        unsigned char settings[2 * H2_SETTING_BYTES], window[4], *to = settings;

        memcpy(output_reserve(&connection->output, strlen(preface)), preface, strlen(preface));
        to = h2_put_u16(to, H2_SETTING_ENABLE_PUSH);
        to = h2_put_u32(to, 0);
        to = h2_put_u16(to, H2_SETTING_INITIAL_WINDOW_SIZE);
        h2_put_u32(to, RECEIVE_WINDOW_BYTES);
        connection_write_frame(connection,
                (struct h2_frame){ .type = H2_SETTINGS, .length = sizeof(settings) }, settings);
        h2_put_u32(window, RECEIVE_WINDOW_BYTES - H2_WINDOW_INITIAL);
        connection_write_frame(connection,
                (struct h2_frame){ .type = H2_WINDOW_UPDATE, .length = sizeof(window) }, window);
}

int connection_open(struct connection *connection, struct load *load, uint64_t number, int fd)
{
        uint32_t places = 2;

        while (places < 2 * load->options->streams)
                places *= 2;
        *connection = (struct connection){
                .load = load,
                .stream_mask = places - 1,
                .streams = calloc(places, sizeof(struct stream)),
                .next_id = 1,
                .fd = fd,
                .window = H2_WINDOW_INITIAL,
                .stream_window = H2_WINDOW_INITIAL,
                .streams_max = UINT32_MAX,
                .frame_bytes_max = H2_FRAME_BYTES_MAX,
        };
        if (!connection->streams || hpack_decoder_init(&connection->decoder) < 0) {
                free(connection->streams);
                close(fd);
                connection->fd = -1;
                return -ENOMEM;
        }
        list_init(&connection->sending);
        output_init(&connection->output);
        hpack_encoder_init(&connection->encoder);
        schedule_lane_init(&load->schedule, &connection->lane, number);
        write_preface(connection);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
        return 0;
}

void connection_close(struct connection *connection)
{
        if (connection->fd < 0)
                return;
        close(connection->fd);
        connection->fd = -1;
        hpack_decoder_deinit(&connection->decoder);
        output_deinit(&connection->output);
        free(connection->inbox.rest);
        free(connection->inbox.block);
        free(connection->streams);
}

void connection_lose(struct connection *connection, const char *format, ...)
{
        char why[ERROR_BYTES_MAX];
        va_list arguments;

        if (connection->fd < 0)
                return;
        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        connection_abandon(connection, why);
        connection_close(connection);
        load_on_lost(connection->load, why);
}

void connection_abandon(struct connection *connection, const char *why)
{
        for (uint32_t i = 0; connection->live > 0 && i <= connection->stream_mask; i++)
                if (connection->streams[i].id != 0)
                        connection_end_stream(connection, &connection->streams[i], why, now_ns());
}

/* ---- streams ---- */

static struct stream *place_of(struct connection *connection, uint32_t id)
{
        return &connection->streams[(id >> 1) & connection->stream_mask];
}

struct stream *connection_find_stream(struct connection *connection, uint32_t id, bool *ret_known)
{
        struct stream *stream = place_of(connection, id);

        *ret_known = (id & 1) && id < connection->next_id;
        return *ret_known && stream->id == id ? stream : NULL;
}

void connection_resume_stream(struct connection *connection, struct stream *stream)
{
        if (list_is_empty(&stream->link) && stream->window > 0 && stream_wants_to_send(stream))
                list_append(&connection->sending, &stream->link);
}

void connection_end_stream(
        struct connection *connection, struct stream *stream, const char *problem, uint64_t now_ns)
{
        load_on_call_end(connection->load, &stream->call, problem, now_ns);
        list_remove(&stream->link);
        stream->id = 0;
        connection->live--;
}

/* ---- output ---- */

void connection_write_frame(
        struct connection *connection, struct h2_frame frame, const unsigned char *payload)
{
        unsigned char *to =
                output_reserve(&connection->output, H2_FRAME_HEADER_BYTES + frame.length);

        to = h2_put_frame(to, frame);
        if (frame.length > 0)
                memcpy(to, payload, frame.length);
}

static void write_headers(struct connection *connection, const struct stream *stream)
{
        unsigned char block[HPACK_ENCODED_BYTES_MAX];
        struct h2_frame frame = {
                .type = H2_HEADERS,
                .flags = H2_FLAG_END_HEADERS,
                .stream_id = stream->id,
        };

        frame.length =
                (uint32_t)hpack_encode(&connection->encoder, &stream->method->request, block);
        connection_write_frame(connection, frame, block);
}

static void note_sent(struct connection *connection, struct stream *stream, size_t size)
{
        connection->window -= (int64_t)size;
        stream->window -= (int64_t)size;
        stream->message_sent += size;
        if (stream->message_sent < stream->method->framed_bytes)
                return;
        stream->message_sent = 0;
        stream->half_closed = stream_is_at_last_message(stream);
        stream->messages_sent++;
}

/* One frame with as much of the message as the windows let through; both are open. Returns its
 * payload's size. */
static size_t write_data(struct connection *connection, struct stream *stream)
{
        const unsigned char *from = stream->method->framed + stream->message_sent;
        size_t left = stream->method->framed_bytes - stream->message_sent, size = left;
        struct h2_frame frame = { .type = H2_DATA, .stream_id = stream->id };

        if (size > connection->frame_bytes_max)
                size = connection->frame_bytes_max;
        if ((int64_t)size > connection->window)
                size = (size_t)connection->window;
        if ((int64_t)size > stream->window)
                size = (size_t)stream->window;
        frame.length = (uint32_t)size;
        if (size == left && stream_is_at_last_message(stream))
                frame.flags = H2_FLAG_END_STREAM;
        if (size <= COPIED_BYTES_MAX) {
                connection_write_frame(connection, frame, from);
        } else {
                h2_put_frame(output_reserve(&connection->output, H2_FRAME_HEADER_BYTES), frame);
                output_refer(&connection->output, from, size);
        }
        note_sent(connection, stream, size);
        return size;
}

/* Streams take turns, a frame each. True: there would be more. */
static bool fill_data(struct connection *connection)
{
        size_t filled = 0;

        while (connection->window > 0 && filled < FILL_BYTES_MAX) {
                struct list *link = list_pop(&connection->sending);
                struct stream *stream;

                if (!link)
                        return false;
                stream = CONTAINER_OF(link, struct stream, link);
                filled += write_data(connection, stream);
                connection_resume_stream(connection, stream);
        }
        return filled >= FILL_BYTES_MAX;
}

/* ---- calls ---- */

static bool has_room(const struct connection *connection)
{
        return connection->ready && !connection->draining &&
               connection->next_id <= STREAM_ID_LAST &&
               connection->live < connection->load->options->streams &&
               connection->live < connection->streams_max;
}

/* The id of a stream with a free place. */
static uint32_t take_id(struct connection *connection)
{
        uint32_t id = connection->next_id;

        while (place_of(connection, id)->id != 0)
                id += 2;
        connection->next_id = id + 2;
        return id;
}

static void begin_call(struct connection *connection, uint32_t id, const struct schedule_call *call,
        uint64_t now_ns)
{
        struct stream *stream = place_of(connection, id);

        connection->live++;
        load_on_call_begin(connection->load, now_ns);
        stream_begin(stream, id, &connection->load->methods[call->method], call,
                connection->stream_window);
        write_headers(connection, stream);
        if (stream->window > 0 && connection->window > 0)
                write_data(connection, stream);
        connection_resume_stream(connection, stream);
}

static void begin_calls(struct connection *connection)
{
        uint64_t now = now_ns();
        struct schedule_call call;

        while (has_room(connection) &&
                schedule_take(&connection->load->schedule, &connection->lane, now, &call)) {
                if (!connection->crowded)
                        load_on_begun_late(connection->load, now - call.start_ns);
                begin_call(connection, take_id(connection), &call, now);
        }
        connection->crowded = !has_room(connection);
}

void connection_push(struct connection *connection)
{
        bool more;

        do {
                int r;

                if (connection->fd < 0 || connection->blocked)
                        return;
                if (has_room(connection))
                        begin_calls(connection);
                more = fill_data(connection);
                r = output_send(&connection->output, connection->fd, &connection->load->bytes_out);
                if (r == -EAGAIN) {
                        connection->blocked = true;
                        watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
                } else if (r < 0) {
                        connection_lose(connection, "connection lost: %s", strerror(-r));
                }
        } while (more);
}

/* Without calls in flight: whether it is still useful. */
static void retire(struct connection *connection)
{
        if (connection->draining)
                connection_lose(connection, "GOAWAY %s", h2_error_name(connection->goaway_code));
        else if (connection->next_id > STREAM_ID_LAST)
                connection_lose(connection, "stream numbers used up");
}

void connection_on_events(struct connection *connection, uint32_t events)
{
        if (connection->fd >= 0 && (events & EPOLLOUT) && connection->blocked) {
                connection->blocked = false;
                watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        }
        if (connection->fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
                connection_receive(connection);
        if (connection->live == 0)
                retire(connection);
        connection_push(connection);
}
