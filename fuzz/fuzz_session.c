/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "fuzz/mutator.h"
#include "host.h"

/*
 * Any bytes of a peer for a server, from the first one: HTTP/2 or HTTP/1.1, gRPC, gRPC-Web or Connect, through calls and handlers of
 * all kinds. At the end all memory is freed, whatever was in flight (host_free() asserts it).
 *
 * Input: steps, each a byte for its kind and its operands. If the input begins with a byte below 0x80,
 * the client's preface and SETTINGS are sent first.
 */
enum step {
        STEP_FEED,      /* one byte of size, the bytes */
        STEP_FEED_MANY, /* two bytes of size, the bytes */
        STEP_TURN,      /* handlers run, a send begins unless one is in flight */
        STEP_SENT,      /* the send has completed */
        STEP_SLEEP,     /* one byte: a power of two of microseconds */
        STEP_HELD,      /* held calls are finished */
        STEP_DRAIN,
        STEP_CLOSE,
        STEPS,
};

static const uint8_t operands[STEPS] = {
        [STEP_FEED] = OPERAND_UNITS,
        [STEP_FEED_MANY] = OPERAND_MANY_UNITS,
        [STEP_SLEEP] = OPERAND_BYTE,
};

const struct mutator_form mutator_form = { operands, STEPS, .start = 1, MUTATOR_HTTP2 };

/* From memory of exactly that size. */
static void feed(struct host *host, struct input *input, size_t size)
{
        const uint8_t *bytes;
        uint8_t *piece;

        size = take_bytes(input, size, &bytes);
        piece = malloc(size ? size : 1);
        assert(piece);
        memcpy(piece, bytes, size);
        host_feed(host, piece, size);
        free(piece);
}

/* Reads all bytes of the output, so that a payload that was freed too early is found. */
static void look_at(const struct output *output)
{
        volatile uint8_t sum = 0;

        for (unsigned i = 0; output && i < output->iov_count; i++) {
                const uint8_t *bytes = output->iov[i].iov_base;

                for (size_t j = 0; j < output->iov[i].iov_len; j++)
                        sum ^= bytes[j];
        }
}

/* HTTP/1.1: a request that came behind one which is answered by now. */
static void go_on(struct host *host)
{
        if (host->error == 0 && session_has_input(&host->session))
                host_feed(host, (const uint8_t *)"", 0);
}

static void take_step(struct host *host, struct input *input)
{
        size_t size;

        switch ((enum step)(take_byte(input) % STEPS)) {
        case STEP_FEED:
                feed(host, input, take_byte(input));
                break;
        case STEP_FEED_MANY:
                size = take_byte(input) << 8;
                feed(host, input, size | take_byte(input));
                break;
        case STEP_TURN:
                host_turn(host);
                look_at(host_send(host, 20000));
                go_on(host);
                break;
        case STEP_SENT:
                look_at(host->output);
                host_sent(host);
                go_on(host);
                break;
        case STEP_SLEEP:
                host_sleep(host, UINT64_C(1000) << take_byte(input) % 40);
                break;
        case STEP_HELD:
                script_finish_held(&host->script);
                break;
        case STEP_DRAIN:
                if (host_is_open(host))
                        session_drain(&host->session);
                break;
        case STEP_CLOSE:
                host_close(host);
                break;
        case STEPS:
                break;
        }
}

/* Small enough for a fuzzer to reach them. */
static const quoit_limits limits = {
        .message_receive_bytes_max = 1000,
        .message_send_bytes_max = 50000,
        .call_queue_bytes_max = 2000,
        .header_fields_max = 16,
        .header_bytes_max = 1000,
        .header_bytes_hard_max = 1500,
        .metadata_out_bytes_max = 500,
        .streams_max = 8,
        .stream_window_bytes = 2000,
        .frame_bytes_max = 20000,
        .connection_receive_bytes_max = 3000,
        .control_queue_max = 10,
        .empty_frames_max = 5,
        .resets_burst_max = 10,
        .resets_per_second = 5,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char preface[] = NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0";
        struct input input = { data, size };
        struct host *host;

        if (size == 0)
                return 0;
        host = host_new(&limits);
        session_allow_http1(&host->session, &host->shard.base.memory.h2, false);
        if (take_byte(&input) < 0x80)
                host_feed(host, (const uint8_t *)preface, sizeof(preface) - 1);
        while (input.size > 0)
                take_step(host, &input);
        host_turn(host);
        look_at(host_send(host, 100000));
        host_free(host);
        return 0;
}
