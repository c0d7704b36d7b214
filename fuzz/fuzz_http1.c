/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "transport/memory.h"
#include "transport/session.h"

/*
 * Any bytes of a client of HTTP/1.1, whole and in pieces: the same requests must come of both. Else who sits in front, and cuts them in
 * another way, could be made to see other requests than we do.
 *
 * Input: a byte for the size of the pieces, and what the client says.
 */
#define RECORD_BYTES ((size_t)64 << 10)
#define REQUESTS_MAX 64

struct peer;

struct request {
        struct stream stream; /* first */
        struct peer *peer;
        bool is_answered;
};

struct peer {
        struct memory memory;
        struct session session;
        struct request requests[REQUESTS_MAX];
        unsigned count, closed;
        uint8_t record[RECORD_BYTES];
        size_t record_size;
};

static const quoit_limits limits = {
        .streams_max = 8,
        .header_fields_max = 16,
        .header_bytes_max = 1000,
        .header_bytes_hard_max = 1500,
        .stream_window_bytes = 2000,
        .connection_window_bytes = 65535,
        .frame_bytes_max = 20000,
        .control_queue_max = 10,
        .continuation_frames_max = 8,
        .empty_frames_max = 5,
        .glitches_burst_max = 1000,
        .glitches_per_second = 1,
};

static void record(struct peer *peer, const void *data, size_t size)
{
        if (peer->record_size + size > RECORD_BYTES)
                size = RECORD_BYTES - peer->record_size;
        if (size > 0)
                memcpy(peer->record + peer->record_size, data, size);
        peer->record_size += size;
}

static struct request *of(struct stream *stream)
{
        return (struct request *)stream;
}

static struct stream *on_stream(void *user)
{
        struct peer *peer = user;
        struct request *request = peer->requests + peer->count;

        if (peer->count == REQUESTS_MAX)
                return NULL;
        peer->count++;
        request->peer = peer;
        list_init(&request->stream.link);
        return &request->stream;
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        struct peer *peer = of(stream)->peer;

        assert(field->name_size > 0);
        for (size_t i = 0; i < field->value_size; i++)
                assert(field->value[i] != '\r' && field->value[i] != '\n' && field->value[i]);
        record(peer, "F", 1);
        record(peer, field->name, field->name_size);
        record(peer, ":", 1);
        record(peer, field->value, field->value_size);
}

static void on_headers(struct stream *stream, bool oversize)
{
        assert(!oversize && stream->field_bytes <= limits.header_bytes_max);
        record(of(stream)->peer, "H", 1);
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        record(of(stream)->peer, data, size);
        stream_consume(stream, (uint32_t)size);
}

static void on_end(struct stream *stream)
{
        static const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 };
        struct request *request = of(stream);

        assert(!request->is_answered);
        request->is_answered = true;
        record(request->peer, "E", 1);
        assert(stream_respond(stream, &status, 1, false) == 0);
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        (void)stream;
        (void)size_max;
        return (struct session_pull){ .size = 2, .last = true };
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        (void)stream;
        assert(size == 2);
        output_copy(output, "ok", size);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct request *request = of(stream);

        assert(stream->state == STREAM_CLOSED && !stream->session);
        assert(error_code != NGHTTP2_NO_ERROR || request->is_answered);
        request->peer->closed++;
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        (void)user;
        (void)error_code;
        assert(text && size > 0);
}

static const struct session_events events = {
        .on_stream = on_stream,
        .on_field = on_field,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_end = on_end,
        .on_pull = on_pull,
        .on_write = on_write,
        .on_close = on_close,
        .on_fault = on_fault,
};

/* Answers all that can be. */
static void run(struct peer *peer)
{
        static struct output output;

        do {
                while (session_has_output(&peer->session)) {
                        output_init(&output, 100000);
                        assert(session_fill(&peer->session, &output) == 0);
                        assert(output.bytes > 0);
                }
        } while (session_has_input(&peer->session) &&
                 session_feed(&peer->session, (const uint8_t *)"", 0) == 0);
}

static struct peer *say(const uint8_t *data, size_t size, size_t step)
{
        struct peer *peer = calloc(1, sizeof(*peer));
        int r = 0;

        assert(peer);
        memory_init(&peer->memory);
        assert(session_init_server(&peer->session, &peer->memory.h2, &limits, 1, &events, peer) ==
                0);
        session_allow_http1(&peer->session, &peer->memory.h2, false);
        while (size > 0 && r == 0) {
                size_t piece = size < step ? size : step;
                uint8_t *own = malloc(piece); /* of exactly that size */

                assert(own);
                memcpy(own, data, piece);
                r = session_feed(&peer->session, own, piece);
                free(own);
                run(peer);
                data += piece;
                size -= piece;
        }
        return peer;
}

static void end(struct peer *peer)
{
        session_deinit(&peer->session);
        assert(peer->closed == peer->count && peer->session.stream_count == 0);
        memory_deinit(&peer->memory);
        free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = { data, size };
        size_t step = take_byte(&input) % 32 + 1;
        struct peer *whole, *cut;

        if (input.size == 0 || (input.size >= 3 && memcmp(input.at, "PRI", 3) ==
                                                           0)) /* HTTP/2 is for fuzz_session */
                return 0;
        whole = say(input.at, input.size, SIZE_MAX);
        cut = say(input.at, input.size, step);
        assert(whole->record_size == cut->record_size);
        assert(memcmp(whole->record, cut->record, whole->record_size) == 0);
        end(whole);
        end(cut);
        return 0;
}
