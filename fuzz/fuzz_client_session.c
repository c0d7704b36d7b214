/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "fuzz/mutator.h"
#include "transport/memory.h"
#include "transport/session.h"

/*
 * Any bytes of a server for a client session with open streams. Each stream is a block of malloc's, freed as soon as session and
 * output no longer use it, so that a late use is found. At the end every stream was closed once and all memory is freed.
 *
 * Input: steps, each a byte for its kind and its operands. The first byte says how many requests are open at the beginning, and
 * whether the server's SETTINGS have arrived (below 0x80).
 */
enum step {
        STEP_FEED,      /* one byte of size, the bytes */
        STEP_FEED_MANY, /* two bytes of size, the bytes */
        STEP_FILL,      /* a send begins, unless one is in flight */
        STEP_SENT,      /* the send has completed */
        STEP_REQUEST,   /* one byte: what it has */
        STEP_RESET,     /* one byte: which stream */
        STEP_BODY,      /* one byte: which stream gets more to send, or its end */
        STEP_CONSUME,   /* one byte: which stream's window is opened */
        STEP_PING,
        STEP_TERMINATE,
        STEPS,
};

static const uint8_t operands[STEPS] = {
        [STEP_FEED] = OPERAND_UNITS,
        [STEP_FEED_MANY] = OPERAND_MANY_UNITS,
        [STEP_REQUEST] = OPERAND_BYTE,
        [STEP_RESET] = OPERAND_BYTE,
        [STEP_BODY] = OPERAND_BYTE,
        [STEP_CONSUME] = OPERAND_BYTE,
};

const struct mutator_form mutator_form = { operands, STEPS, .start = 1, MUTATOR_HTTP2 };

#define CALLS_MAX 16

struct call {
        struct stream stream; /* first */
        struct host *host;
        unsigned place;
        bool closed, ended;
        unsigned blocks;
        uint32_t body_bytes;
        bool finish;
};

struct host {
        struct memory memory;
        struct session session;
        struct output output;
        bool in_flight;
        struct call *calls[CALLS_MAX]; /* open ones */
        unsigned open;
        int error;
        uint8_t body[4096];
        volatile uint8_t sum; /* of all bytes that the events gave us, so that they are read */
};

/* ---- events ---- */

static struct call *of(struct stream *stream)
{
        return (struct call *)stream;
}

static void read_all(struct host *host, const void *data, size_t size)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                host->sum ^= bytes[i];
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        assert(!of(stream)->ended && !stream->interim);
        assert(stream->has_headers == (of(stream)->blocks == 1));
        read_all(of(stream)->host, field->name, field->name_size);
        read_all(of(stream)->host, field->value, field->value_size);
}

static void on_headers(struct stream *stream, bool oversize)
{
        (void)oversize;
        assert(!of(stream)->ended);
        assert(++of(stream)->blocks <= 2);
        assert(of(stream)->blocks == 1 || stream->block_ends);
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        assert(of(stream)->blocks == 1 && !of(stream)->ended);
        read_all(of(stream)->host, data, size);
}

static void on_end(struct stream *stream)
{
        assert(of(stream)->blocks > 0 && !of(stream)->ended);
        of(stream)->ended = true;
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        struct call *call = of(stream);
        struct session_pull pull = { .size = call->body_bytes };

        assert(!call->closed && !stream->unsent);
        if (pull.size > sizeof(call->host->body))
                pull.size = sizeof(call->host->body);
        if (pull.size > size_max)
                pull.size = size_max;
        pull.last = call->finish && pull.size == call->body_bytes;
        return pull;
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        struct call *call = of(stream);

        assert(size <= call->body_bytes);
        call->body_bytes -= (uint32_t)size;
        if (size % 2 && output_can_refer(output))
                output_refer(output, call->host->body, size, stream);
        else
                output_copy(output, call->host->body, size);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct call *call = of(stream);

        (void)error_code;
        assert(!call->closed && stream->state == STREAM_CLOSED && !stream->session);
        assert(!stream->unsent || call->blocks == 0);
        call->closed = true;
        call->host->calls[call->place] = NULL;
        call->host->open--;
        if (stream->pins == 0)
                free(call);
}

static void on_unpinned(struct stream *stream)
{
        if (of(stream)->closed)
                free(of(stream));
}

static void on_malformed(void *user, const struct session_malformed *what)
{
        assert(of(what->stream)->host == user && !of(what->stream)->closed);
        read_all(user, what->name, what->name ? what->name_size : 0);
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        assert(error_code != NGHTTP2_NO_ERROR);
        read_all(user, text, size);
}

static void on_settings(void *user)
{
        (void)user;
}

static void on_goaway(void *user, const struct session_goaway *goaway)
{
        assert(goaway->last_id >= 0);
        read_all(user, goaway->text, goaway->text_size);
}

static const struct session_events events = {
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

/* ---- steps ---- */

/* From memory of exactly that size. */
static void feed(struct host *host, struct input *input, size_t size)
{
        const uint8_t *bytes;
        uint8_t *piece;

        size = take_bytes(input, size, &bytes);
        piece = malloc(size ? size : 1);
        assert(piece);
        memcpy(piece, bytes, size);
        host->error = session_feed(&host->session, piece, size);
        free(piece);
}

static void sent(struct host *host)
{
        if (!host->in_flight)
                return;
        for (unsigned i = 0; i < host->output.iov_count; i++)
                read_all(host, host->output.iov[i].iov_base, host->output.iov[i].iov_len);
        host->in_flight = false;
        session_release(&events, &host->output);
}

static void fill(struct host *host)
{
        if (host->in_flight || !session_has_output(&host->session))
                return;
        output_init(&host->output, 20000);
        assert(session_fill(&host->session, &host->output) == 0);
        host->in_flight = true;
}

static void request(struct host *host, size_t what)
{
        static const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)"/a", 5, 2, 0 },
                { (uint8_t *)"te", (uint8_t *)"trailers", 2, 8, 0 },
        };
        struct call *call = calloc(1, sizeof(*call));
        bool end = what & 1;

        assert(call);
        call->host = host;
        call->finish = what & 2;
        call->body_bytes = (uint32_t)(what >> 2) * 100;
        while (call->place < CALLS_MAX && host->calls[call->place])
                call->place++;
        if (call->place == CALLS_MAX ||
                session_request(&host->session, &call->stream, fields, 4, end) < 0) {
                free(call);
                return;
        }
        host->calls[call->place] = call;
        host->open++;
}

static void take_step(struct host *host, struct input *input)
{
        enum step step = take_byte(input) % STEPS;
        size_t operand =
                step == STEP_FILL || step == STEP_SENT || step >= STEP_PING ? 0 : take_byte(input);
        struct call *call = host->calls[operand % CALLS_MAX];

        switch (step) {
        case STEP_FEED:
                feed(host, input, operand);
                break;
        case STEP_FEED_MANY:
                feed(host, input, operand << 8 | take_byte(input));
                break;
        case STEP_FILL:
                fill(host);
                break;
        case STEP_SENT:
                sent(host);
                break;
        case STEP_REQUEST:
                request(host, operand);
                break;
        case STEP_RESET:
                if (call)
                        stream_reset(&call->stream, NGHTTP2_CANCEL);
                break;
        case STEP_BODY:
                if (!call)
                        break;
                call->body_bytes += 1000;
                call->finish |= operand >= 0x80;
                stream_resume(&call->stream);
                break;
        case STEP_CONSUME:
                if (call)
                        stream_consume(&call->stream, call->stream.unconsumed_bytes);
                break;
        case STEP_PING:
                session_measure(&host->session);
                break;
        case STEP_TERMINATE:
                session_terminate(&host->session, NGHTTP2_NO_ERROR, NULL);
                break;
        case STEPS:
                break;
        }
}

/* Small enough for a fuzzer to reach them. */
static const quoit_limits limits = {
        .streams_max = 8,
        .header_fields_max = 16,
        .header_bytes_max = 1000,
        .header_bytes_hard_max = 1500,
        .stream_window_bytes = 2000,
        .connection_window_bytes = 70000,
        .frame_bytes_max = 20000,
        .continuation_frames_max = 4,
        .control_queue_max = 10,
        .empty_frames_max = 5,
        .glitches_burst_max = 20,
        .glitches_per_second = 1,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t settings[] = { 0, 0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0 };
        struct input input = { data, size };
        struct host *host = calloc(1, sizeof(*host));
        size_t first = take_byte(&input);

        assert(host);
        memory_init(&host->memory);
        assert(session_init_client(&host->session, &host->memory.h2, &limits, &events, host) == 0);
        for (size_t i = 0; i < first % CALLS_MAX; i++)
                request(host, i << 2);
        if (first < 0x80)
                host->error = session_feed(&host->session, settings, sizeof(settings));
        while (input.size > 0 && host->error == 0) {
                take_step(host, &input);
                assert(host->open == host->session.stream_count);
        }
        sent(host);
        fill(host);
        session_deinit(&host->session);
        sent(host);
        assert(host->open == 0);
        assert(host->memory.live == 0);
        memory_deinit(&host->memory);
        free(host);
        return 0;
}
