/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small message is encoded in one place and then moved to its place in a queue, since its size is known
 * last. Moved at once, the move waits for the encoder's stores: they are narrower than its loads, so the
 * processor cannot forward them (a fifth of what a streamed item costs). So the move is put off until the
 * next message, which is encoded in the other of two buffers, or until somebody wants the bytes.
 */

#include <stddef.h>
#include <stdint.h>

#include "codec/copy.h"

#define PENDING_COPY_BYTES_MAX ((size_t)2048)

/* Of a ring: one move at most is put off. Zeroed memory is a valid object. */
struct pending_copy {
        uint8_t *to; /* NULL: nothing is put off */
        const uint8_t *from;
        size_t size;
        unsigned turn;
        uint8_t buffers[2][PENDING_COPY_BYTES_MAX];
};

/* The buffer that the next message may be encoded in. */
static inline uint8_t *pending_copy_buffer(struct pending_copy *copy)
{
        return copy->buffers[copy->turn];
}

/* The bytes that were promised are in their place from here on. */
static inline void pending_copy_run(struct pending_copy *copy)
{
        if (!copy->to)
                return;
        copy_short(copy->to, copy->from, copy->size);
        copy->to = NULL;
}

/* Promises @size bytes, in the buffer at @from, to @to. That is its owner's until pending_copy_run(). */
static inline void pending_copy_put(
        struct pending_copy *copy, uint8_t *to, const uint8_t *from, size_t size)
{
        pending_copy_run(copy);
        copy->to = to;
        copy->from = from;
        copy->size = size;
        copy->turn ^= 1;
}
