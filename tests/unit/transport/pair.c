/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "../codec/random.h"

static struct call *of(struct stream *stream)
{
        return (struct call *)stream;
}

static struct call *new_call(struct end *end)
{
        struct call *call = end->calls + end->count;

        assert_true(end->count < PAIR_CALLS_MAX);
        *call = (struct call){ .end = end };
        return call;
}

/* ---- events, the same for both ends ---- */

static struct stream *on_stream(void *user)
{
        struct end *end = user;
        struct call *call = new_call(end);

        assert_int_equal(end->session.role, SESSION_SERVER);
        end->count++;
        end->open++;
        return &call->stream;
}

static void keep(char *to, size_t size_max, const char *name, const struct session_field *field)
{
        if (field->name_size != strlen(name) || memcmp(field->name, name, field->name_size) != 0)
                return;
        assert_true(field->value_size < size_max);
        memcpy(to, field->value, field->value_size);
        to[field->value_size] = '\0';
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        struct call *call = of(stream);

        assert_int_equal(call->ends, 0);
        assert_int_equal(stream->has_headers, call->headers == 1);
        if (!stream->has_headers)
                keep(call->status, sizeof(call->status), ":status", field);
        keep(call->grpc_status, sizeof(call->grpc_status), "grpc-status", field);
        keep(call->path, sizeof(call->path), ":path", field);
        keep(call->x, sizeof(call->x), "x", field);
}

static void on_headers(struct stream *stream, bool oversize)
{
        struct call *call = of(stream);

        assert_int_equal(call->ends, 0);
        call->id = stream->id;
        call->oversize |= oversize;
        if (stream->has_headers) {
                assert_int_equal(call->end->session.role, SESSION_CLIENT);
                assert_true(stream->block_ends);
                call->trailers++;
                return;
        }
        call->headers++;
        call->trailers_only += stream->block_ends;
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct call *call = of(stream);

        assert_int_equal(call->headers, 1);
        assert_int_equal(call->ends, 0);
        call->data = realloc(call->data, call->data_size + size + 1);
        assert_non_null(call->data);
        memcpy(call->data + call->data_size, data, size);
        call->data_size += size;
        if (!call->hold)
                stream_consume(stream, (uint32_t)size);
}

static void on_end(struct stream *stream)
{
        assert_int_equal(of(stream)->headers, 1);
        of(stream)->ends++;
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        static const nghttp2_nv trailers = { (uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0 };
        struct call *call = of(stream);
        size_t left = call->body_size - call->body_sent;
        struct session_pull pull = { .size = left < size_max ? left : size_max };

        assert_false(stream->unsent);
        pull.last = call->finish && pull.size == left;
        if (pull.last && call->end->session.role == SESSION_SERVER)
                assert_int_equal(stream_submit_trailers(stream, &trailers, 1), 0);
        return pull;
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        struct call *call = of(stream);
        const uint8_t *piece = call->body + call->body_sent;

        if (output_can_refer(output))
                output_refer(output, piece, size, stream);
        else
                output_copy(output, piece, size);
        call->body_sent += size;
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct call *call = of(stream);

        assert_int_equal(stream->state, STREAM_CLOSED);
        assert_null(stream->session);
        assert_int_equal(call->closes, 0);
        call->closes++;
        call->error_code = error_code;
        call->closed_unsent = stream->unsent;
        call->end->open--;
}

static void on_unpinned(struct stream *stream)
{
        (void)stream;
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        assert_non_null(what->stream);
        ((struct end *)user)->rule = what->rule ? what->rule : "";
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        struct end *end = user;

        (void)text;
        (void)size;
        end->faults++;
        end->fault_code = error_code;
}

static void on_goaway(void *user, const struct session_goaway *goaway)
{
        struct end *end = user;

        assert_int_equal(end->session.role, SESSION_CLIENT);
        end->goaways++;
        end->goaway_id = goaway->last_id;
        end->goaway_code = goaway->error_code;
        assert_true(goaway->text_size < sizeof(end->goaway_text));
        if (goaway->text_size > 0)
                memcpy(end->goaway_text, goaway->text, goaway->text_size);
        end->goaway_text[goaway->text_size] = '\0';
}

static void on_settings(void *user)
{
        ((struct end *)user)->settings++;
}

const struct session_events end_events = {
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
        .on_goaway = on_goaway,
        .on_settings = on_settings,
};

/* ---- what a test does ---- */

struct pair *pair_new(const quoit_limits *limits, uint64_t seed)
{
        struct pair *pair = calloc(1, sizeof(*pair));

        assert_non_null(pair);
        pair->limits = limits ? *limits : joint_limits;
        pair->random = seed;
        pair->piece_bytes_max = 40000;
        pair->server.pair = pair->client.pair = pair;
        memory_init(&pair->memory);
        assert_int_equal(session_init_server(&pair->server.session, &pair->memory.h2, &pair->limits,
                                 seed, &end_events, &pair->server),
                0);
        assert_int_equal(session_init_client(&pair->client.session, &pair->memory.h2, &pair->limits,
                                 &end_events, &pair->client),
                0);
        return pair;
}

static void end_free(struct end *end)
{
        session_deinit(&end->session);
        assert_int_equal(end->open, 0);
        for (unsigned i = 0; i < end->count; i++) {
                assert_int_equal(end->calls[i].closes, 1);
                assert_int_equal(end->calls[i].stream.pins, 0);
                free(end->calls[i].data);
        }
}

void pair_free(struct pair *pair)
{
        end_free(&pair->client);
        end_free(&pair->server);
        assert_int_equal(pair->memory.live, 0);
        memory_deinit(&pair->memory);
        free(pair);
}

int pair_try_request(struct pair *pair, const char *path, const void *body, size_t size, bool end,
        struct call **ret_call)
{
        const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)path, 5, strlen(path), 0 },
                { (uint8_t *)":authority", (uint8_t *)"localhost", 10, 9, 0 },
                { (uint8_t *)"te", (uint8_t *)"trailers", 2, 8, 0 },
                { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0 },
        };
        struct call *call = new_call(&pair->client);
        int r;

        call->body = body;
        call->body_size = size;
        call->finish = end;
        r = session_request(&pair->client.session, &call->stream, fields, 6, size == 0 && end);
        if (r < 0) {
                assert_null(call->stream.session);
                return r;
        }
        pair->client.count++;
        pair->client.open++;
        *ret_call = call;
        return 0;
}

struct call *pair_request(
        struct pair *pair, const char *path, const void *body, size_t size, bool end)
{
        struct call *call = NULL;

        assert_int_equal(pair_try_request(pair, path, body, size, end, &call), 0);
        return call;
}

void call_continue(struct call *call, const void *body, size_t size, bool end)
{
        assert_int_equal(call->body_sent, call->body_size);
        call->body = body;
        call->body_size = size;
        call->body_sent = 0;
        call->finish = end;
        stream_resume(&call->stream);
}

static const nghttp2_nv answer[] = {
        { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 },
        { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0 },
};

void call_answer(struct call *call, const void *body, size_t size, bool end)
{
        call->body = body;
        call->body_size = size;
        call->finish = end;
        assert_int_equal(stream_respond(&call->stream, answer, 2, false), 0);
}

void call_answer_only(struct call *call, const char *grpc_status)
{
        const nghttp2_nv fields[] = { answer[0], answer[1],
                { (uint8_t *)"grpc-status", (uint8_t *)grpc_status, 11, strlen(grpc_status), 0 } };

        assert_int_equal(stream_respond(&call->stream, fields, 3, true), 0);
}

/* ---- between them ---- */

/* From memory of exactly that size, so that a byte read too far is noticed. */
static int feed_piece(struct end *to, const uint8_t *data, size_t size)
{
        uint8_t *piece = malloc(size);
        int r;

        assert_non_null(piece);
        memcpy(piece, data, size);
        r = session_feed(&to->session, piece, size);
        free(piece);
        return r;
}

int end_feed(struct end *to, const void *data, size_t size)
{
        const uint8_t *at = data;

        while (size > 0 && to->error == 0) {
                size_t piece = 1 + random_upto(&to->pair->random, to->pair->piece_bytes_max - 1);

                piece = piece < size ? piece : size;
                to->error = feed_piece(to, at, piece);
                at += piece;
                size -= piece;
        }
        return to->error;
}

static void keep_wire(struct end *end, const struct iovec *iovec)
{
        if (end->wire_size + iovec->iov_len > PAIR_WIRE_MAX)
                return;
        memcpy(end->wire + end->wire_size, iovec->iov_base, iovec->iov_len);
        end->wire_size += iovec->iov_len;
}

bool end_speak(struct end *from)
{
        struct end *to = from == &from->pair->server ? &from->pair->client : &from->pair->server;
        struct output *output;
        bool spoke;

        if (!session_has_output(&from->session))
                return false;
        output = malloc(sizeof(*output));
        assert_non_null(output);
        output_init(output, OUTPUT_BLOCK_BYTES);
        assert_int_equal(session_fill(&from->session, output), 0);
        spoke = output->bytes > 0;
        for (unsigned i = 0; i < output->iov_count; i++) {
                keep_wire(from, output->iov + i);
                (void)end_feed(to, output->iov[i].iov_base, output->iov[i].iov_len);
        }
        session_release(&end_events, output);
        free(output);
        return spoke;
}

void pair_run(struct pair *pair)
{
        bool spoke;

        do {
                spoke = end_speak(&pair->client);
                spoke |= end_speak(&pair->server);
        } while (spoke);
}

struct call *pair_other(struct pair *pair, const struct call *call)
{
        for (unsigned i = 0; i < pair->server.count; i++) {
                if (pair->server.calls[i].id == call->stream.id)
                        return pair->server.calls + i;
        }
        return NULL;
}

void call_assert_body(const struct call *call, const void *body, size_t size)
{
        assert_int_equal(call->data_size, size);
        if (size > 0)
                assert_memory_equal(call->data, body, size);
}

void call_assert_good(const struct call *call)
{
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_NO_ERROR);
        assert_int_equal(call->headers, 1);
        assert_int_equal(call->ends, 1);
        assert_string_equal(call->status, "200");
        assert_string_equal(call->grpc_status, "0");
}

size_t pair_record(uint8_t *wire)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *first = pair_request(pair, "/first", "x", 1, true);
        struct call *second = pair_request(pair, "/second", "x", 1, true);
        struct call *third = pair_request(pair, "/third", "x", 1, false);
        size_t size;

        (void)end_speak(&pair->client);
        call_answer(pair_other(pair, first), "answer", 6, true);
        call_answer_only(pair_other(pair, second), "5");
        stream_reset(&pair_other(pair, third)->stream, NGHTTP2_REFUSED_STREAM);
        session_ping(&pair->server.session);
        pair_run(pair);
        session_drain(&pair->server.session);
        pair_run(pair);
        size = pair->server.wire_size;
        memcpy(wire, pair->server.wire, size);
        pair_free(pair);
        return size;
}
