/* SPDX-License-Identifier: MIT */

/*
 * The limit: sayHello on nghttp2 alone, as its documentation shows a server, with messages put
 * together by hand. A struct a stream, and no more checks than the answer needs.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "bench/micro/transport_client.h"

#define OUTPUT_BYTES ((size_t)64 * 1024)
#define PREFIX_BYTES 5
#define NAME_AT (PREFIX_BYTES + 2) /* behind the field's tag and size */
#define MESSAGE_BYTES_MAX 128

struct bare_stream {
        bool is_hello;
        size_t size;
        uint8_t message[MESSAGE_BYTES_MAX]; /* the request, then the answer */
};

struct bare_side {
        nghttp2_session *h2;
        size_t output_size;
        uint8_t output[OUTPUT_BYTES];
};

#define FIELD(name, value)                                                                         \
        { (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1,              \
                NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE }

static bool is(const uint8_t *text, size_t size, const char *what)
{
        return size == strlen(what) && memcmp(text, what, size) == 0;
}

/* ---- in ---- */

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct bare_stream *stream = malloc(sizeof(*stream));

        (void)user;
        if (!stream)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        stream->is_hello = false;
        stream->size = 0;
        return nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, stream);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        struct bare_stream *stream;

        (void)flags;
        (void)user;
        if (!is(name, name_size, ":path"))
                return 0;
        stream = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
        stream->is_hello = is(value, size, "/api.Api/sayHello");
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct bare_stream *stream = nghttp2_session_get_stream_user_data(h2, id);

        (void)flags;
        (void)user;
        if (size > sizeof(stream->message) - stream->size)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        memcpy(stream->message + stream->size, data, size);
        stream->size += size;
        return 0;
}

/* ---- out ---- */

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        static const nghttp2_nv trailers[] = { FIELD("grpc-status", "0") };
        const struct bare_stream *stream = source->ptr;

        (void)user;
        assert(stream->size <= size_max);
        memcpy(buffer, stream->message, stream->size);
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(h2, id, trailers, 1) != 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        return (nghttp2_ssize)stream->size;
}

/* {name: N} becomes {message: "Hello N!"}, in place. */
static bool make_answer(struct bare_stream *stream)
{
        static const char before[] = "Hello ";
        size_t name_size, size;

        if (!stream->is_hello || stream->size < NAME_AT)
                return false;
        name_size = stream->message[NAME_AT - 1];
        size = name_size + sizeof(before); /* an exclamation mark for the NUL */
        if (stream->size != NAME_AT + name_size || NAME_AT + size > sizeof(stream->message))
                return false;
        memmove(stream->message + NAME_AT + strlen(before), stream->message + NAME_AT, name_size);
        memcpy(stream->message + NAME_AT, before, strlen(before));
        stream->message[NAME_AT + size - 1] = '!';
        stream->message[NAME_AT - 1] = (uint8_t)size;
        stream->message[PREFIX_BYTES - 1] = (uint8_t)(2 + size);
        stream->size = NAME_AT + size;
        return true;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        static const nghttp2_nv headers[] = { FIELD(":status", "200"),
                FIELD("content-type", "application/grpc") };
        nghttp2_data_provider2 provider = { .read_callback = on_read };
        struct bare_stream *stream;

        (void)user;
        if (frame->hd.type > NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
                return 0;
        stream = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
        if (!make_answer(stream))
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        provider.source.ptr = stream;
        return nghttp2_submit_response2(h2, frame->hd.stream_id, headers, 2, &provider);
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        (void)error_code;
        (void)user;
        free(nghttp2_session_get_stream_user_data(h2, id));
        return 0;
}

/* ---- a server of one connection ---- */

static void *side_open(void)
{
        static const nghttp2_settings_entry settings[] = {
                { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, CLIENT_BATCH_MAX },
        };
        struct bare_side *side = malloc(sizeof(*side));
        nghttp2_session_callbacks *callbacks;

        if (!side || nghttp2_session_callbacks_new(&callbacks) != 0)
                abort();
        side->output_size = 0;
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        if (nghttp2_session_server_new(&side->h2, callbacks, side) != 0 ||
                nghttp2_submit_settings(side->h2, NGHTTP2_FLAG_NONE, settings, 1) != 0)
                abort();
        nghttp2_session_callbacks_del(callbacks);
        return side;
}

static size_t side_turn(void *server, const uint8_t *data, size_t size)
{
        struct bare_side *side = server;
        const uint8_t *frames;
        nghttp2_ssize count;

        if (nghttp2_session_mem_recv2(side->h2, data, size) != (nghttp2_ssize)size)
                abort();
        side->output_size = 0;
        while ((count = nghttp2_session_mem_send2(side->h2, &frames)) > 0) {
                assert(OUTPUT_BYTES - side->output_size >= (size_t)count);
                memcpy(side->output + side->output_size, frames, (size_t)count);
                side->output_size += (size_t)count;
        }
        if (count < 0)
                abort();
        return side->output_size;
}

static const uint8_t *side_output(void *server)
{
        return ((struct bare_side *)server)->output;
}

static void side_close(void *server)
{
        struct bare_side *side = server;

        nghttp2_session_del(side->h2);
        free(side);
}

const struct server_ops bare_server_ops = {
        .open = side_open,
        .turn = side_turn,
        .output = side_output,
        .close = side_close,
};
