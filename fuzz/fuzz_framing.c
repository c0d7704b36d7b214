/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/framing.h"

/*
 * A stream gives the same messages, however it is cut, as a simple parser of the whole.
 *
 * Input: two bytes of message limit, one byte of the number of cuts, the cuts, the stream. A cut is
 * a chunk's size; they are used round and round, and a zero is an empty chunk (if all are zero, the
 * stream is fed whole).
 */
struct input {
        size_t limit, n_cuts, size;
        const uint8_t *cuts, *stream;
};

static int input_parse(struct input *input, const uint8_t *data, size_t size)
{
        if (size < 3 || size - 3 < data[2])
                return -EINVAL;
        *input = (struct input){
                .limit = (size_t)data[0] << 8 | data[1],
                .n_cuts = data[2],
                .size = size - 3 - data[2],
                .cuts = data + 3,
                .stream = data + 3 + data[2],
        };
        return 0;
}

/* The expected result: the specification applied to the whole stream. */
struct expected {
        const uint8_t *at, *end;
        size_t limit;
};

/* 1 and a message, 0 at the end (*ret_idle: between two messages), or the error. */
static int expected_next(
        struct expected *expected, struct framing_message *ret_message, bool *ret_idle)
{
        const uint8_t *at = expected->at;
        size_t left = (size_t)(expected->end - at), size;

        *ret_idle = left == 0;
        if (left < FRAMING_PREFIX_BYTES)
                return 0;
        if (at[0] > 1)
                return -EPROTO;
        size = ((size_t)at[1] << 24) + ((size_t)at[2] << 16) + ((size_t)at[3] << 8) + at[4];
        if (size > expected->limit)
                return -EMSGSIZE;
        if (left - FRAMING_PREFIX_BYTES < size)
                return 0;
        *ret_message = (struct framing_message){ at + FRAMING_PREFIX_BYTES, size, at[0] == 1 };
        expected->at = at + FRAMING_PREFIX_BYTES + size;
        return 1;
}

/* A scan finds the messages that the simple parser finds up to the first that is compressed. */
static void check_scan(
        const struct framing *framing, const uint8_t *data, size_t size, size_t limit)
{
        struct expected expected = { data, data + size, limit };
        struct framing_message message;
        uint32_t count;
        size_t bytes = framing_scan(framing, data, size, &count);
        bool idle;

        for (uint32_t i = 0; i < count; i++)
                assert(expected_next(&expected, &message, &idle) == 1 && !message.compressed);
        assert(expected.at == data + bytes);
        assert(expected_next(&expected, &message, &idle) != 1 || message.compressed);
}

/* Feeds one chunk, from memory of exactly its size; returns the reader's last result. */
static int feed_chunk(struct framing *framing, upb_Arena *arena, const uint8_t *bytes, size_t size,
        struct expected *expected)
{
        uint8_t *chunk = malloc(size ? size : 1);
        const uint8_t *data = chunk;
        struct framing_message message, wanted;
        bool idle;
        int r;

        if (size)
                memcpy(chunk, bytes, size);
        if (framing_idle(framing))
                check_scan(framing, chunk, size, expected->limit);
        while ((r = framing_feed(framing, arena, &data, &size, &message)) == 1) {
                assert(expected_next(expected, &wanted, &idle) == 1);
                assert(message.size == wanted.size && message.compressed == wanted.compressed);
                assert(memcmp(message.data, wanted.data, wanted.size) == 0);
                assert(framing_idle(framing));
        }
        assert(r < 0 || size == 0);
        free(chunk);
        return r;
}

static void check_split(const struct input *input, const uint8_t *cuts, size_t n_cuts)
{
        struct expected expected = { input->stream, input->stream + input->size, input->limit };
        upb_Arena *arena = upb_Arena_New();
        struct framing_message message;
        struct framing framing;
        size_t at = 0;
        bool idle;
        int r = 0;

        framing_init(&framing, input->limit);
        for (size_t i = 0; at < input->size && r == 0; i++) {
                size_t left = input->size - at, size = n_cuts ? cuts[i % n_cuts] : left;

                size = size < left ? size : left;
                r = feed_chunk(&framing, arena, input->stream + at, size, &expected);
                at += size;
        }
        assert(r == expected_next(&expected, &message, &idle));
        assert(r < 0 || framing_idle(&framing) == idle);
        upb_Arena_Free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input;
        size_t sum = 0;

        if (input_parse(&input, data, size))
                return 0;
        for (size_t i = 0; i < input.n_cuts; i++)
                sum += input.cuts[i];
        check_split(&input, NULL, 0);
        if (sum)
                check_split(&input, input.cuts, input.n_cuts);
        return 0;
}
