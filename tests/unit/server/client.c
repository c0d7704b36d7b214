/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "codec/framing.h"

static struct reply *reply_of(struct client *client, int32_t id)
{
        for (unsigned i = 0; i < client->count; i++) {
                if (client->replies[i].id == id)
                        return client->replies + i;
        }
        return NULL;
}

static void keep(char *place, size_t room, const uint8_t *value, size_t size)
{
        assert_true(size < room);
        memcpy(place, value, size);
        place[size] = 0;
}

static bool is(const uint8_t *name, size_t size, const char *what)
{
        return size == strlen(what) && memcmp(name, what, size) == 0;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        struct reply *reply = reply_of(user, frame->hd.stream_id);

        (void)h2;
        (void)flags;
        assert_non_null(reply);
        if (is(name, name_size, ":status"))
                keep(reply->http_status, sizeof(reply->http_status), value, size);
        else if (is(name, name_size, "grpc-status"))
                keep(reply->status, sizeof(reply->status), value, size);
        else if (is(name, name_size, "grpc-message"))
                keep(reply->text, sizeof(reply->text), value, size);
        else if (is(name, name_size, "grpc-accept-encoding"))
                keep(reply->accept_encoding, sizeof(reply->accept_encoding), value, size);
        else if (is(name, name_size, "x-echo")) {
                size_t at = strlen(reply->echo);

                if (at > 0)
                        reply->echo[at++] = '|';
                keep(reply->echo + at, sizeof(reply->echo) - at, value, size);
        }
        return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct client *client = user;
        struct reply *reply = reply_of(client, frame->hd.stream_id);

        (void)h2;
        if (frame->hd.type == NGHTTP2_GOAWAY)
                client->goaways++;
        if (frame->hd.type == NGHTTP2_HEADERS && reply &&
                !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
                reply->headers_came = true;
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct reply *reply = reply_of(user, id);

        (void)h2;
        (void)flags;
        reply->data = realloc(reply->data, reply->data_size + size + 1);
        assert_non_null(reply->data);
        memcpy(reply->data + reply->data_size, data, size);
        reply->data_size += size;
        return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct reply *reply = reply_of(user, id);

        (void)h2;
        if (reply) {
                reply->closed = true;
                reply->error_code = error_code;
        }
        return 0;
}

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct reply *reply = source->ptr;
        size_t left = reply->body_size - reply->body_sent;
        size_t size = left < size_max ? left : size_max;

        (void)h2;
        (void)id;
        (void)user;
        if (size == left && reply->end)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        else if (size == 0)
                return NGHTTP2_ERR_DEFERRED;
        memcpy(buffer, reply->body + reply->body_sent, size);
        reply->body_sent += size;
        return (nghttp2_ssize)size;
}

struct client *client_new(const quoit_limits *limits)
{
        struct client *client = calloc(1, sizeof(*client));
        nghttp2_session_callbacks *callbacks;

        assert_non_null(client);
        client->host = host_new(limits ? limits : &(quoit_limits){ 0 });
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        assert_int_equal(nghttp2_session_client_new(&client->h2, callbacks, client), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(client->h2, NGHTTP2_FLAG_NONE, NULL, 0), 0);
        return client;
}

void client_free(struct client *client)
{
        nghttp2_session_del(client->h2);
        host_free(client->host);
        for (unsigned i = 0; i < client->count; i++)
                free(client->replies[i].data);
        free(client);
}

struct reply *client_request(struct client *client, const char *const (*fields)[2], bool end)
{
        struct reply *reply = client->replies + client->count;
        nghttp2_data_provider2 provider = { .source.ptr = reply, .read_callback = on_read };
        nghttp2_nv block[64];
        size_t count = 0;

        assert_true(client->count++ < CLIENT_REPLIES_MAX);
        for (; fields[count][0]; count++) {
                assert_true(count < 64);
                block[count] =
                        (nghttp2_nv){ (uint8_t *)fields[count][0], (uint8_t *)fields[count][1],
                                strlen(fields[count][0]), strlen(fields[count][1]), 0 };
        }
        reply->id = nghttp2_submit_request2(
                client->h2, NULL, block, count, end ? NULL : &provider, NULL);
        assert_true(reply->id > 0);
        return reply;
}

struct reply *client_call(
        struct client *client, const char *method, const char *name, const char *value)
{
        char path[64] = "/script.Script/";
        const char *const fields[][2] = { { ":method", "POST" }, { ":scheme", "http" },
                { ":path", strcat(path, method) }, { ":authority", "localhost" },
                { "te", "trailers" }, { "content-type", "application/grpc" }, { name, value },
                { NULL, NULL } };

        return client_request(client, fields, false);
}

void client_send(
        struct client *client, struct reply *reply, const void *data, size_t size, bool end)
{
        assert_true(size <= sizeof(reply->body) - reply->body_size);
        if (size > 0)
                memcpy(reply->body + reply->body_size, data, size);
        reply->body_size += size;
        reply->end = end;
        (void)nghttp2_session_resume_data(client->h2, reply->id); /* fails while it has not begun */
}

void client_ask(struct client *client, struct reply *reply, const struct script_Ask *ask, bool end)
{
        upb_Arena *arena = upb_Arena_New();
        uint8_t prefix[FRAMING_PREFIX_BYTES];
        size_t size;
        char *bytes = script_Ask_serialize(ask, arena, &size);

        assert_non_null(bytes);
        framing_write_prefix(prefix, false, (uint32_t)size);
        client_send(client, reply, prefix, sizeof(prefix), false);
        client_send(client, reply, bytes, size, end);
        upb_Arena_Free(arena);
}

void client_act(struct client *client, struct reply *reply, enum script_act act, uint32_t count,
        uint32_t size)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);

        script_Ask_set_act(ask, act);
        script_Ask_set_count(ask, count);
        script_Ask_set_size(ask, size);
        client_ask(client, reply, ask, true);
        upb_Arena_Free(arena);
}

void client_reset(struct client *client, struct reply *reply)
{
        assert_int_equal(
                nghttp2_submit_rst_stream(client->h2, NGHTTP2_FLAG_NONE, reply->id, NGHTTP2_CANCEL),
                0);
}

void client_run(struct client *client)
{
        struct output *output;
        const uint8_t *data;
        nghttp2_ssize size;
        bool moved;

        do {
                moved = false;
                while ((size = nghttp2_session_mem_send2(client->h2, &data)) > 0) {
                        host_feed(client->host, data, (size_t)size);
                        moved = true;
                }
                host_turn(client->host);
                output = host_send(client->host, 100000);
                moved |= output != NULL || !list_is_empty(&client->host->ready);
                for (unsigned i = 0; output && i < output->iov_count; i++)
                        assert_int_equal(nghttp2_session_mem_recv2(client->h2,
                                                 output->iov[i].iov_base, output->iov[i].iov_len),
                                output->iov[i].iov_len);
                host_sent(client->host);
        } while (moved);
}

unsigned reply_messages(const struct reply *reply)
{
        upb_Arena *arena = upb_Arena_New();
        const uint8_t *data = reply->data;
        size_t size = reply->data_size;
        struct framing framing;
        struct framing_message message;
        unsigned count = 0;
        int r = 0;

        framing_init(&framing, SIZE_MAX);
        while (size > 0 && (r = framing_feed(&framing, arena, &data, &size, &message)) == 1) {
                script_Told *told =
                        script_Told_parse((const char *)message.data, message.size, arena);

                assert_non_null(told);
                assert_int_equal(script_Told_number(told), count);
                count++;
        }
        assert_true(r >= 0);
        assert_true(framing_idle(&framing));
        upb_Arena_Free(arena);
        return count;
}

void assert_status(const struct reply *reply, const char *status)
{
        assert_string_equal(reply->http_status, "200");
        assert_string_equal(reply->status, status);
        assert_true(reply->closed);
        assert_int_equal(reply->error_code, NGHTTP2_NO_ERROR);
}
