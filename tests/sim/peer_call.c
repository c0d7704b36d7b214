/* SPDX-License-Identifier: MIT */
#include "peer_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "pattern.h"

enum { ASKS_MAX = 12, PREFIX_BYTES = 5, STREAM_BYTES_MAX = 100000 };

const char *const peer_paths[KINDS] = { "/script.Script/Unary", "/script.Script/ServerStream",
        "/script.Script/ClientStream", "/script.Script/Bidi" };

/* ---- messages, by hand ---- */

static size_t put_varint(uint8_t *out, uint64_t value)
{
        size_t size = 0;

        do {
                out[size++] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
                value >>= 7;
        } while (value > 0);
        return size;
}

static size_t get_varint(const uint8_t *in, size_t size, uint64_t *ret_value)
{
        size_t at = 0;

        *ret_value = 0;
        while (at < size && at < 10) {
                *ret_value |= (uint64_t)(in[at] & 0x7f) << 7 * at;
                if (!(in[at++] & 0x80))
                        return at;
        }
        return 0;
}

static void put_prefix(uint8_t *prefix, bool is_compressed, size_t size)
{
        prefix[0] = is_compressed;
        for (int i = 0; i < 4; i++)
                prefix[1 + i] = (uint8_t)(size >> (24 - 8 * i));
}

/* The message at the end of @body, from @at on, is compressed in its place. */
static void compress_last(struct sim_pipe *body, size_t at)
{
        uint8_t *message = sim_pipe_bytes(body) + at + PREFIX_BYTES;
        uLong size = body->size - at - PREFIX_BYTES;
        z_stream stream = { .next_in = message, .avail_in = (uInt)size };
        uint8_t *compressed;

        if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + 9, 1, Z_DEFAULT_STRATEGY) != Z_OK)
                abort();
        stream.avail_out = (uInt)deflateBound(&stream, size);
        stream.next_out = compressed = malloc(stream.avail_out);
        if (!compressed || deflate(&stream, Z_FINISH) != Z_STREAM_END)
                abort();
        body->size = at + PREFIX_BYTES;
        put_prefix(sim_pipe_bytes(body) + at, true, stream.total_out);
        sim_pipe_push(body, compressed, stream.total_out);
        deflateEnd(&stream);
        free(compressed);
}

/* An Ask, behind its prefix. */
static void put_ask(
        struct sim_pipe *body, enum act act, uint32_t count, uint32_t size, uint32_t payload_bytes)
{
        uint8_t head[PREFIX_BYTES + 40], *fields = head + PREFIX_BYTES;
        size_t at = 0, whole;

        fields[at++] = 1 << 3;
        at += put_varint(fields + at, act);
        fields[at++] = 2 << 3;
        at += put_varint(fields + at, count);
        fields[at++] = 3 << 3;
        at += put_varint(fields + at, size);
        fields[at++] = 4 << 3 | 2;
        at += put_varint(fields + at, payload_bytes);
        whole = at + payload_bytes;
        put_prefix(head, false, whole);
        sim_pipe_push(body, head, PREFIX_BYTES + at);
        sim_pipe_push(body, NULL, payload_bytes);
        pattern_fill(sim_pipe_bytes(body) + body->size - payload_bytes, payload_bytes, count);
}

/* A Told: its number, and whether its payload is what the handler made. */
static void check_told(const struct peer_call *call, const uint8_t *bytes, size_t size)
{
        uint64_t number = 0, value, tag;
        const uint8_t *payload = NULL;
        size_t payload_bytes = 0, at = 0, n;
        uint64_t first;

        while (at < size) {
                n = get_varint(bytes + at, size - at, &tag);
                at += n;
                if (n == 0 || (n = get_varint(bytes + at, size - at, &value)) == 0)
                        sim_fail("stream %d: a reply does not parse", call->id);
                at += n;
                if (tag == 1 << 3) {
                        number = value;
                } else if (tag == (2 << 3 | 2) && value <= size - at) {
                        payload = bytes + at;
                        payload_bytes = value;
                        at += value;
                } else {
                        sim_fail("stream %d: a reply has a field that it should not", call->id);
                }
        }
        first = call->kind == CLIENT_STREAM ? call->asks : call->told;
        if (number != first)
                sim_fail("stream %d: reply %u is number %" PRIu64, call->id, call->told, number);
        if (payload_bytes != call->size)
                sim_fail("stream %d: a payload has %zu bytes, not %" PRIu32, call->id,
                        payload_bytes, call->size);
        at = pattern_check(payload, payload_bytes, number);
        if (at < payload_bytes)
                sim_fail("stream %d: a payload is wrong from byte %zu on", call->id, at);
}

void peer_call_read(struct peer_call *call)
{
        struct sim_pipe *reply = &call->reply;

        while (reply->size >= PREFIX_BYTES) {
                const uint8_t *head = sim_pipe_bytes(reply);
                size_t size = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 |
                              head[4];

                if (head[0] > 1)
                        sim_fail("stream %d: a reply's prefix is %u", call->id, head[0]);
                if (reply->size < PREFIX_BYTES + size)
                        return;
                if (head[0] == 0)
                        check_told(call, head + PREFIX_BYTES, size);
                call->told++;
                sim_pipe_drop(reply, PREFIX_BYTES + size);
        }
}

void peer_call_check(const struct peer_call *call)
{
        if (call->statuses != 1)
                sim_fail("stream %d has ended in order with %u statuses", call->id, call->statuses);
        if (call->reply.size > 0)
                sim_fail("stream %d has ended within a message", call->id);
        if (call->status == 0 && call->told != call->answers && !call->is_wrong)
                sim_fail("stream %d has ended OK with %u replies of %u", call->id, call->told,
                        call->answers);
        if (call->status == 5 && call->act != ACT_FAIL)
                sim_fail("stream %d has failed as nobody asked for", call->id);
}

/* ---- a call begins ---- */

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct peer_call *call = source->ptr;
        size_t size = call->body.size < size_max ? call->body.size : size_max;

        (void)h2;
        (void)id;
        (void)user;
        if (size > 1 && !sim.is_calm && sim_chance(300))
                size = 1 + sim_below(size);
        if (size == call->body.size)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        sim_pipe_pop(&call->body, buffer, size);
        return (nghttp2_ssize)size;
}

bool peer_call_ends(const struct peer_call *call)
{
        if (call->has_deadline || call->is_wrong || call->kind == BIDI)
                return true;
        if (call->kind == CLIENT_STREAM)
                return call->act != ACT_HOLD;
        return act_ends(call->act);
}

static uint32_t some_size(void)
{
        static const uint32_t sizes[] = { 0, 0, 10, 10, 100, 100, 1000, 3000, 9000, 20000, 70000 };

        return sizes[sim_below(sizeof(sizes) / sizeof(*sizes))] + (uint32_t)sim_below(50);
}

static void make_body(struct peer_call *call)
{
        uint32_t count = 1 + (uint32_t)sim_below(call->act == ACT_AFTER ? 3000 : 20);
        bool many = call->kind == CLIENT_STREAM || call->kind == BIDI;
        uint32_t payload_bytes = sim_chance(300) ? some_size() : (uint32_t)sim_below(100);

        if (many && call->peer->brings_bulk)
                payload_bytes = 50000 + (uint32_t)sim_below(100000);

        call->size = some_size();
        if (call->kind == SERVER_STREAM &&
                call->size > 0) /* no more than that in all: it takes its time */
                count = 1 + count % (1 + STREAM_BYTES_MAX / call->size);
        call->asks = many ? 1 + (unsigned)sim_below(ASKS_MAX) : 1;
        call->answers = call->kind == SERVER_STREAM ? count % 1000
                        : call->kind == BIDI        ? call->asks
                                                    : 1;
        for (unsigned i = 0; i < call->asks; i++) {
                size_t at = call->body.size;

                put_ask(&call->body, call->act, count, call->size, payload_bytes);
                if (call->peer->sends_compressed && sim_chance(700))
                        compress_last(&call->body, at);
        }
        if (call->is_wrong)
                sim_pipe_bytes(&call->body)[sim_below(call->body.size)] ^=
                        (uint8_t)(1 + sim_below(255));
}

/* Sends the request of @call, which is @peer's next one and knows what it asks for. */
static void submit(struct peer_end *peer, struct peer_call *call)
{
        nghttp2_data_provider2 provider = { .source.ptr = call, .read_callback = on_read };
        char timeout[16], name[24];
        nghttp2_nv fields[11];
        size_t count = 0;

        peer->call_count++;
        make_body(call);
        snprintf(timeout, sizeof(timeout), "%um",
                1 + (unsigned)sim_below(sim_chance(500) ? 20 : 5000));
        snprintf(name, sizeof(name), "%u.%u", peer->conn->id, peer->call_count - 1);
#define FIELD(key, value)                                                                          \
        fields[count++] = (nghttp2_nv){ (uint8_t *)(key), (uint8_t *)(value), strlen(key),         \
                strlen(value), 0 }
        FIELD(":method", "POST");
        FIELD(":scheme", "http");
        FIELD(":path", peer_paths[call->kind]);
        FIELD(":authority", "localhost");
        FIELD("te", "trailers");
        FIELD("x-peer", name);
        FIELD("content-type", "application/grpc");
        if (call->has_deadline)
                FIELD("grpc-timeout", timeout);
        if (call->is_wrong)
                FIELD("x-wrong", "1");
        if (peer->sends_compressed)
                FIELD("grpc-encoding", "gzip");
        if (peer->takes_compressed)
                FIELD("grpc-accept-encoding", "gzip");
#undef FIELD
        call->id = nghttp2_submit_request2(peer->h2, NULL, fields, count, &provider, NULL);
        sim_note("calls", (uint64_t)call->id, (uint64_t)call->act << 8 | call->kind);
        if (call->id < 0)
                call->is_closed = true;
}

bool peer_begin_call(struct peer_end *peer)
{
        struct peer_call *call = peer->calls + peer->call_count;

        if (peer->call_count == CALLS_MAX || !nghttp2_session_check_request_allowed(peer->h2))
                return false;
        *call = (struct peer_call){
                .peer = peer, .kind = (enum kind)sim_below(KINDS), .status = -1
        };
        call->act = sim_chance(500) ? ACT_ANSWER : (enum act)sim_below(ACTS);
        call->is_wrong = !peer->is_good && sim_chance(200);
        call->has_deadline = sim_chance(300);
        submit(peer, call);
        return true;
}

void peer_begin_plain(struct peer_end *peer, enum kind kind)
{
        struct peer_call *call = peer->calls + peer->call_count;

        *call = (struct peer_call){ .peer = peer, .kind = kind, .act = ACT_ANSWER, .status = -1 };
        submit(peer, call);
}
