/* SPDX-License-Identifier: MIT */
#include "bench/micro/transport_client.h"

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#define CHECKED_BATCHES 4
#define REQUESTS_BYTES_MAX ((size_t)64 * 1024)
#define HEADER_BYTES 9
#define WINDOW_UPDATE_BYTES 13

static const uint8_t request[] = { 0, 0, 0, 0, 7, 0x0a, 5, 'W', 'o', 'r', 'l', 'd' };
static const uint8_t reply[] = { 0, 0, 0, 0, 14, 0x0a, 12, 'H', 'e', 'l', 'l', 'o', ' ', 'W', 'o',
        'r', 'l', 'd', '!' };

/* A call while answers are still looked at. */
struct call {
        size_t sent;
        uint8_t data[sizeof(reply)];
        size_t size;
        bool status_ok;
};

struct client {
        const struct server_ops *ops;
        void *server;
        nghttp2_session *h2;
        unsigned batch;
        struct call calls[CLIENT_BATCH_MAX];
        unsigned answered;
        /* a batch of requests, and where in it the ids stand */
        uint8_t requests[REQUESTS_BYTES_MAX];
        size_t requests_size;
        uint16_t ids[4 * CLIENT_BATCH_MAX];
        unsigned id_count;
        size_t answers_size;
};

static void __attribute__((noreturn)) fail(const char *what)
{
        fprintf(stderr, "micro-transport: the server's answer is wrong: %s\n", what);
        exit(EXIT_FAILURE);
}

/* ---- the real client ---- */

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        (void)h2;
        (void)id;
        (void)source;
        (void)user;
        assert(size_max >= sizeof(request));
        memcpy(buffer, request, sizeof(request));
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return sizeof(request);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        static const char status[] = "grpc-status";
        struct call *call = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);

        (void)flags;
        (void)user;
        if (name_size == strlen(status) && memcmp(name, status, name_size) == 0)
                call->status_ok = size == 1 && *value == '0';
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct call *call = nghttp2_session_get_stream_user_data(h2, id);

        (void)flags;
        (void)user;
        if (size > sizeof(reply) - call->size)
                fail("too much data");
        memcpy(call->data + call->size, data, size);
        call->size += size;
        return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct call *call = nghttp2_session_get_stream_user_data(h2, id);
        struct client *client = user;

        if (error_code != 0 || !call->status_ok)
                fail("status");
        if (call->size != sizeof(reply) || memcmp(call->data, reply, sizeof(reply)) != 0)
                fail("message");
        client->answered++;
        return 0;
}

static nghttp2_session *h2_new(struct client *client)
{
        nghttp2_session_callbacks *callbacks;
        nghttp2_session *h2;

        if (nghttp2_session_callbacks_new(&callbacks) != 0)
                abort();
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        if (nghttp2_session_client_new(&h2, callbacks, client) != 0 ||
                nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, NULL, 0) != 0 ||
                nghttp2_session_set_local_window_size(h2, NGHTTP2_FLAG_NONE, 0, INT32_MAX) != 0)
                abort();
        nghttp2_session_callbacks_del(callbacks);
        return h2;
}

#define FIELD(name, value)                                                                         \
        { (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0 }

static void submit_call(struct client *client, struct call *call)
{
        static const nghttp2_nv fields[] = {
                FIELD(":method", "POST"),
                FIELD(":scheme", "http"),
                FIELD(":path", "/api.Api/sayHello"),
                FIELD(":authority", "localhost:50051"),
                FIELD("te", "trailers"),
                FIELD("content-type", "application/grpc"),
                FIELD("user-agent", "micro-transport"),
        };
        const nghttp2_data_provider2 provider = { .read_callback = on_read };

        *call = (struct call){};
        if (nghttp2_submit_request2(client->h2, NULL, fields, sizeof(fields) / sizeof(*fields),
                    &provider, call) < 0)
                abort();
}

/* What the client has to say, into the buffer. */
static void collect(struct client *client)
{
        const uint8_t *data;
        nghttp2_ssize size;

        client->requests_size = 0;
        while ((size = nghttp2_session_mem_send2(client->h2, &data)) > 0) {
                assert(REQUESTS_BYTES_MAX - client->requests_size >= (size_t)size);
                memcpy(client->requests + client->requests_size, data, (size_t)size);
                client->requests_size += (size_t)size;
        }
}

/* Until both are silent. */
static void exchange(struct client *client)
{
        for (;;) {
                size_t size;

                collect(client);
                if (client->requests_size == 0)
                        return;
                size = client->ops->turn(client->server, client->requests, client->requests_size);
                if (nghttp2_session_mem_recv2(client->h2, client->ops->output(client->server),
                            size) != (nghttp2_ssize)size)
                        fail("no HTTP/2");
        }
}

static void checked_batch(struct client *client)
{
        client->answered = 0;
        for (unsigned i = 0; i < client->batch; i++)
                submit_call(client, client->calls + i);
        exchange(client);
        if (client->answered != client->batch)
                fail("calls without an answer");
}

/* ---- the replay ---- */

static uint32_t load32(const uint8_t *place)
{
        uint32_t value;

        memcpy(&value, place, sizeof(value));
        return be32toh(value);
}

static void find_ids(struct client *client)
{
        size_t at = 0;

        while (at < client->requests_size) {
                assert(client->id_count < sizeof(client->ids) / sizeof(*client->ids));
                client->ids[client->id_count++] = (uint16_t)(at + 5);
                at += HEADER_BYTES + (load32(client->requests + at) >> 8);
        }
}

static void raise_ids(struct client *client)
{
        for (unsigned i = 0; i < client->id_count; i++) {
                uint8_t *place = client->requests + client->ids[i];
                uint32_t id = htobe32(load32(place) + 2 * client->batch);

                memcpy(place, &id, sizeof(id));
        }
}

struct client *client_open(const struct server_ops *ops, unsigned batch)
{
        struct client *client = calloc(1, sizeof(*client));

        assert(client && batch <= CLIENT_BATCH_MAX);
        client->ops = ops;
        client->batch = batch;
        client->server = ops->open();
        client->h2 = h2_new(client);
        for (unsigned i = 0; i < CHECKED_BATCHES; i++)
                checked_batch(client);
        /* one more, of which only the server hears */
        for (unsigned i = 0; i < batch; i++)
                submit_call(client, client->calls + i);
        collect(client);
        find_ids(client);
        client->answers_size = ops->turn(client->server, client->requests, client->requests_size);
        return client;
}

void client_replay(struct client *client)
{
        size_t size, extra;

        raise_ids(client);
        size = client->ops->turn(client->server, client->requests, client->requests_size);
        /* now and then a window is opened again */
        extra = size - client->answers_size;
        if (size < client->answers_size || extra % WINDOW_UPDATE_BYTES != 0 ||
                extra > client->batch * (size_t)WINDOW_UPDATE_BYTES)
                fail("size");
}

void client_close(struct client *client)
{
        nghttp2_session_del(client->h2);
        client->ops->close(client->server);
        free(client);
}
