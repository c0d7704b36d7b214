/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The bytes of one gathered send: frames copied into a block, and large payloads that are referred to.
 * A stream whose payload is referred to is pinned until the send has completed.
 *
 * nghttp2 is asked for frames only when nothing is in flight. So a connection needs at most one output,
 * and an idle one none: outputs belong to the ring, which lends them.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct stream;

#define OUTPUT_BLOCK_BYTES ((size_t)64 * 1024)
#define OUTPUT_IOV_MAX 64

struct output {
        size_t bytes; /* in all */
        size_t bytes_max; /* enough for one send */
        size_t block_used;
        unsigned iov_count;
        unsigned pinned_count;
        struct iovec iov[OUTPUT_IOV_MAX];
        struct stream *pinned[OUTPUT_IOV_MAX];
        uint8_t block[OUTPUT_BLOCK_BYTES];
};

static inline void output_init(struct output *output, size_t bytes_max)
{
        output->bytes = 0;
        output->bytes_max = bytes_max;
        output->block_used = 0;
        output->iov_count = 0;
        output->pinned_count = 0;
}

/* The largest piece that nghttp2 makes at once: a frame of SETTINGS_MAX_FRAME_SIZE's default, header included. */
#define OUTPUT_FRAME_BYTES_MAX ((size_t)9 + 16384)

/* Whether @frames more frames fit, payloads copied or referred to, and the output is below its limit. */
static inline bool output_has_room(const struct output *output, unsigned frames)
{
        return output->bytes < output->bytes_max &&
               OUTPUT_BLOCK_BYTES - output->block_used >= frames * OUTPUT_FRAME_BYTES_MAX &&
               OUTPUT_IOV_MAX - output->iov_count >= frames * 4;
}

/* Appends @size bytes, which the caller writes to the returned place. The caller knows that there is room. */
uint8_t *output_extend(struct output *output, size_t size);

/* Copies. The caller knows that there is room. */
void output_copy(struct output *output, const void *data, size_t size);

/* Refers to @data, which belongs to @stream and lives until the stream is unpinned. */
void output_refer(struct output *output, const void *data, size_t size, struct stream *stream);

/* Whether there is room for an output_refer(). */
static inline bool output_can_refer(const struct output *output)
{
        return output->iov_count + 2 <= OUTPUT_IOV_MAX;
}
