/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "../codec/random.h"

const quoit_limits joint_limits = {
        .streams_max = 32,
        .header_fields_max = 128,
        .header_bytes_max = 8 << 10,
        .header_bytes_hard_max = 16 << 10,
        .stream_window_bytes = 64 << 10,
        .connection_window_bytes = 256 << 10,
        .frame_bytes_max = 32 << 10,
        .continuation_frames_max = 8,
        .control_queue_max = 100,
        .empty_frames_max = 100,
        .glitches_burst_max = 1000,
        .glitches_per_second = 1,
};

const uint8_t *joint_bytes(void)
{
        static uint8_t bytes[JOINT_BODY_MAX];
        uint64_t seed = 7;

        if (bytes[0] == 0 && bytes[1] == 0)
                random_fill(&seed, bytes, sizeof(bytes));
        return bytes;
}

/* ---- the server's side ---- */

static struct server_stream *of(struct stream *stream)
{
        return (struct server_stream *)stream;
}

static struct stream *on_stream(void *user)
{
        struct joint *joint = user;
        struct server_stream *stream;

        if (joint->refuse || joint->stream_count == JOINT_STREAMS_MAX)
                return NULL;
        stream = joint->streams + joint->stream_count++;
        memset(stream, 0, sizeof(*stream));
        stream->joint = joint;
        list_init(&stream->stream.link);
        return &stream->stream;
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        struct server_stream *server = of(stream);

        assert_int_equal(server->headers, 0);
        server->fields++;
        if (field->name_size == 5 && memcmp(field->name, ":path", 5) == 0 &&
                field->value_size < sizeof(server->path))
                memcpy(server->path, field->value, field->value_size);
}

static void on_headers(struct stream *stream, bool oversize)
{
        of(stream)->id = stream->id;
        of(stream)->headers++;
        of(stream)->oversize = oversize;
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct server_stream *server = of(stream);

        assert_int_equal(server->ends, 0);
        server->data = realloc(server->data, server->data_size + size + 1);
        memcpy(server->data + server->data_size, data, size);
        server->data_size += size;
        if (server->joint->consume)
                stream_consume(stream, (uint32_t)size);
}

static void on_end(struct stream *stream)
{
        assert_int_equal(of(stream)->headers, 1);
        of(stream)->ends++;
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        static const nghttp2_nv trailer = { (uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0 };
        struct server_stream *server = of(stream);
        size_t left = server->body_size - server->body_sent;
        struct session_pull pull = { .size = left < size_max ? left : size_max };

        if (server->finish && pull.size == left) {
                pull.last = true;
                server->trailers_out = true;
                (void)stream_submit_trailers(stream, &trailer, 1);
        }
        return pull;
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        struct server_stream *server = of(stream);
        const uint8_t *piece = server->body + server->body_sent;

        if (server->refer && output_can_refer(output))
                output_refer(output, piece, size, stream);
        else
                output_copy(output, piece, size);
        server->body_sent += size;
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        assert_int_equal(stream->state, STREAM_CLOSED);
        assert_null(stream->session);
        of(stream)->closes++;
        of(stream)->error_code = error_code;
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        (void)user;
        (void)text;
        (void)size;
        assert_int_not_equal(error_code, NGHTTP2_NO_ERROR);
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        (void)user;
        assert_non_null(what->stream);
}

static void on_unpinned(struct stream *stream)
{
        of(stream)->unpins++;
}

const struct session_events joint_events = {
        .on_stream = on_stream,
        .on_field = on_field,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_end = on_end,
        .on_pull = on_pull,
        .on_write = on_write,
        .on_close = on_close,
        .on_unpinned = on_unpinned,
        .on_malformed = on_malformed,
        .on_fault = on_fault,
};

void joint_answer(struct server_stream *stream, const void *body, size_t size)
{
        static const nghttp2_nv headers[] = {
                { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 },
                { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0 },
        };

        stream->body = body;
        stream->body_size = size;
        stream->finish = true;
        assert_int_equal(stream_respond(&stream->stream, headers, 2, false), 0);
}

/* ---- the client's side ---- */

static struct client_stream *call_of(struct joint *joint, int32_t id)
{
        for (unsigned i = 0; i < joint->call_count; i++) {
                if (joint->calls[i].id == id)
                        return joint->calls + i;
        }
        return NULL;
}

static void copy_text(char *to, size_t size_max, const uint8_t *value, size_t size)
{
        assert_true(size < size_max);
        memcpy(to, value, size);
        to[size] = 0;
}

static int client_on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
        struct client_stream *call = call_of(user, frame->hd.stream_id);

        (void)h2;
        (void)flags;
        assert_non_null(call);
        if (name_size == 7 && memcmp(name, ":status", 7) == 0)
                copy_text(call->status, sizeof(call->status), value, value_size);
        if (name_size == 11 && memcmp(name, "grpc-status", 11) == 0)
                copy_text(call->grpc_status, sizeof(call->grpc_status), value, value_size);
        return 0;
}

static int client_on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct joint *joint = user;
        struct client_stream *call = call_of(joint, frame->hd.stream_id);

        (void)h2;
        if (frame->hd.type == NGHTTP2_GOAWAY)
                joint->goaway_code = frame->goaway.error_code;
        if (frame->hd.type == NGHTTP2_HEADERS && call)
                call->trailers = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        return 0;
}

static int client_on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data,
        size_t size, void *user)
{
        struct client_stream *call = call_of(user, id);

        (void)h2;
        (void)flags;
        assert_non_null(call);
        call->data = realloc(call->data, call->data_size + size + 1);
        memcpy(call->data + call->data_size, data, size);
        call->data_size += size;
        return 0;
}

static int client_on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct client_stream *call = call_of(user, id);

        (void)h2;
        if (call) {
                call->closed = true;
                call->error_code = error_code;
        }
        return 0;
}

static nghttp2_ssize client_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct client_stream *call = source->ptr;
        size_t left = call->body_size - call->body_sent;
        size_t size = left < size_max ? left : size_max;

        (void)h2;
        (void)id;
        (void)user;
        if (size == left && call->end)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        else if (size == 0)
                return NGHTTP2_ERR_DEFERRED;
        if (size > 0)
                memcpy(buffer, call->body + call->body_sent, size);
        call->body_sent += size;
        return (nghttp2_ssize)size;
}

static nghttp2_session *client_new(struct joint *joint)
{
        nghttp2_session_callbacks *callbacks;
        nghttp2_session *client;

        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, client_on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, client_on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, client_on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, client_on_close);
        assert_int_equal(nghttp2_session_client_new(&client, callbacks, joint), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(client, NGHTTP2_FLAG_NONE, NULL, 0), 0);
        return client;
}

struct client_stream *joint_request(
        struct joint *joint, const char *path, const void *body, size_t size, bool end)
{
        const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)path, 5, strlen(path), 0 },
                { (uint8_t *)":authority", (uint8_t *)"localhost", 10, 9, 0 },
                { (uint8_t *)"te", (uint8_t *)"trailers", 2, 8, 0 },
                { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0 },
        };
        struct client_stream *call = joint->calls + joint->call_count;
        nghttp2_data_provider2 provider = { .source.ptr = call, .read_callback = client_read };

        assert_true(joint->call_count++ < JOINT_STREAMS_MAX);
        call->body = body;
        call->body_size = size;
        call->end = end;
        call->id = nghttp2_submit_request2(joint->client, NULL, fields, 6, &provider, NULL);
        assert_true(call->id > 0);
        return call;
}

void joint_continue(
        struct joint *joint, struct client_stream *call, const void *body, size_t size, bool end)
{
        assert_int_equal(call->body_sent, call->body_size);
        call->body = body;
        call->body_size = size;
        call->body_sent = 0;
        call->end = end;
        assert_int_equal(nghttp2_session_resume_data(joint->client, call->id), 0);
}

/* ---- between them ---- */

struct joint *joint_new(const quoit_limits *limits, uint64_t seed)
{
        struct joint *joint = calloc(1, sizeof(*joint));

        assert_non_null(joint);
        joint->limits = limits ? *limits : joint_limits;
        joint->random = seed;
        joint->piece_bytes_max = 40000;
        joint->goaway_code = UINT32_MAX;
        joint->consume = true;
        memory_init(&joint->memory);
        assert_int_equal(session_init_server(&joint->server, &joint->memory.h2, &joint->limits,
                                 seed, &joint_events, joint),
                0);
        joint->client = client_new(joint);
        return joint;
}

void joint_free(struct joint *joint)
{
        nghttp2_session_del(joint->client);
        session_deinit(&joint->server);
        for (unsigned i = 0; i < joint->stream_count; i++) {
                assert_int_equal(joint->streams[i].closes, 1);
                assert_int_equal(joint->streams[i].stream.pins, 0);
                free(joint->streams[i].data);
        }
        for (unsigned i = 0; i < joint->call_count; i++)
                free(joint->calls[i].data);
        assert_int_equal(joint->memory.live, 0);
        memory_deinit(&joint->memory);
        free(joint);
}

/* From memory of exactly that size, so that a byte read too far is noticed. */
static int feed_piece(struct joint *joint, const uint8_t *data, size_t size)
{
        uint8_t *piece = malloc(size);
        int r;

        assert_non_null(piece);
        memcpy(piece, data, size);
        r = session_feed(&joint->server, piece, size);
        free(piece);
        return r;
}

int joint_feed(struct joint *joint, const void *data, size_t size)
{
        const uint8_t *at = data;

        while (size > 0 && joint->feed_error == 0) {
                size_t piece = 1 + random_upto(&joint->random, joint->piece_bytes_max - 1);

                piece = piece < size ? piece : size;
                joint->feed_error = feed_piece(joint, at, piece);
                joint->fed_bytes += piece;
                at += piece;
                size -= piece;
        }
        return joint->feed_error;
}

int joint_to_server(struct joint *joint)
{
        const uint8_t *data;
        nghttp2_ssize size;

        while ((size = nghttp2_session_mem_send2(joint->client, &data)) > 0) {
                if (joint_feed(joint, data, (size_t)size) < 0)
                        return joint->feed_error;
        }
        assert_int_equal(size, 0);
        return 0;
}

static uint32_t read_u32(const uint8_t *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void note_frame(struct joint *joint, const uint8_t *frame, uint32_t length)
{
        struct frame_seen *seen = joint->frames + joint->frame_count++;

        assert_true(joint->frame_count <= sizeof(joint->frames) / sizeof(*joint->frames));
        *seen = (struct frame_seen){
                .length = length,
                .type = frame[3],
                .flags = frame[4],
                .id = (int32_t)(read_u32(frame + 5) & INT32_MAX),
        };
        if (seen->type == NGHTTP2_RST_STREAM)
                seen->code = read_u32(frame + 9);
        if (seen->type == NGHTTP2_GOAWAY) {
                seen->last_id = (int32_t)read_u32(frame + 9);
                seen->code = read_u32(frame + 13);
        }
}

static void note_frames(struct joint *joint, const uint8_t *data, size_t size)
{
        while (size > 0) {
                size_t piece = sizeof(joint->pending) - joint->pending_size;
                uint32_t length;

                piece = piece < size ? piece : size;
                memcpy(joint->pending + joint->pending_size, data, piece);
                joint->pending_size += piece;
                data += piece;
                size -= piece;
                while (joint->pending_size >= 9) {
                        length = read_u32(joint->pending) >> 8;
                        assert_true(length <= 16384);
                        if (joint->pending_size < 9 + length)
                                break;
                        note_frame(joint, joint->pending, length);
                        joint->pending_size -= 9 + length;
                        memmove(joint->pending, joint->pending + 9 + length, joint->pending_size);
                }
        }
}

static void deliver(struct joint *joint, const uint8_t *data, size_t size)
{
        note_frames(joint, data, size);
        while (size > 0) {
                size_t piece = 1 + random_upto(&joint->random, joint->piece_bytes_max - 1);

                piece = piece < size ? piece : size;
                assert_int_equal(nghttp2_session_mem_recv2(joint->client, data, piece),
                        (nghttp2_ssize)piece);
                data += piece;
                size -= piece;
        }
}

size_t joint_to_client(struct joint *joint)
{
        struct output *output = malloc(sizeof(*output));
        size_t bytes = 0;

        assert_non_null(output);
        output_init(output, joint->fill_bytes_max ? joint->fill_bytes_max : OUTPUT_BLOCK_BYTES);
        assert_int_equal(session_fill(&joint->server, output), 0);
        joint->fills += output->bytes > 0;
        for (unsigned i = 0; i < output->iov_count; i++) {
                deliver(joint, output->iov[i].iov_base, output->iov[i].iov_len);
                bytes += output->iov[i].iov_len;
        }
        assert_int_equal(bytes, output->bytes);
        session_release(&joint_events, output);
        free(output);
        return bytes;
}

void joint_run(struct joint *joint)
{
        uint64_t fed_bytes;
        size_t moved;

        do {
                fed_bytes = joint->fed_bytes;
                (void)joint_to_server(joint);
                moved = joint_to_client(joint);
        } while (moved > 0 || joint->fed_bytes > fed_bytes);
}

unsigned joint_count_frames(
        const struct joint *joint, uint8_t type, int32_t id, struct frame_seen *ret_frame)
{
        unsigned count = 0;

        for (unsigned i = 0; i < joint->frame_count; i++) {
                if (joint->frames[i].type != type || (id >= 0 && joint->frames[i].id != id))
                        continue;
                count++;
                if (ret_frame)
                        *ret_frame = joint->frames[i];
        }
        return count;
}

/* ---- by hand ---- */

size_t frame_head(uint8_t *out, uint32_t length, uint8_t type, uint8_t flags, int32_t id)
{
        const uint8_t head[9] = { (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length,
                type, flags, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                (uint8_t)id };

        memcpy(out, head, sizeof(head));
        return sizeof(head);
}

size_t hpack_field(uint8_t *out, const char *name, const char *value)
{
        size_t name_size = strlen(name);
        size_t value_size = strlen(value);

        assert_true(name_size < 127 && value_size < 127);
        *out++ = 0;
        *out++ = (uint8_t)name_size;
        memcpy(out, name, name_size);
        out += name_size;
        *out++ = (uint8_t)value_size;
        memcpy(out, value, value_size);
        return 3 + name_size + value_size;
}

size_t hpack_request(uint8_t *out, const char *path)
{
        size_t size = hpack_field(out, ":method", "POST");

        size += hpack_field(out + size, ":scheme", "http");
        size += hpack_field(out + size, ":path", path);
        size += hpack_field(out + size, ":authority", "localhost");
        size += hpack_field(out + size, "te", "trailers");
        return size + hpack_field(out + size, "content-type", "application/grpc");
}
