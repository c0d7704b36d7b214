/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small message is encoded in a buffer and then copied to its place in a queue, because its size is known
 * only at the end. A copy at once would wait for the encoder's stores: they are narrower than its loads, so the
 * processor cannot forward them (a fifth of the cost of a streamed item). So the copy is delayed until the next
 * message, which is encoded in the other of two buffers, or until the bytes are needed.
 */

#include <stddef.h>
#include <stdint.h>

#include "codec/copy.h"

#define PENDING_COPY_BYTES_MAX ((size_t)2048)

/* One for each ring: at most one copy is delayed. Zeroed memory is a valid object. */
struct pending_copy {
        uint8_t *to; /* NULL: no copy is delayed */
        const uint8_t *from;
        size_t size;
        unsigned turn;
        uint8_t buffers[2][PENDING_COPY_BYTES_MAX];
};

/* The buffer for the next message. */
static inline uint8_t *pending_copy_buffer(struct pending_copy *copy)
{
        return copy->buffers[copy->turn];
}

/* Does the delayed copy, if there is one. */
static inline void pending_copy_run(struct pending_copy *copy)
{
        if (!copy->to)
                return;
        copy_short(copy->to, copy->from, copy->size);
        copy->to = NULL;
}

/* Delays the copy of @size bytes from @from, in the buffer, to @to. @to must stay valid until pending_copy_run(). */
static inline void pending_copy_put(
        struct pending_copy *copy, uint8_t *to, const uint8_t *from, size_t size)
{
        pending_copy_run(copy);
        copy->to = to;
        copy->from = from;
        copy->size = size;
        copy->turn ^= 1;
}
