/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Frames that HTTP/2 allows, or nearly allows, and that have no use. Some of them have a reason: frames that we sent to the
 * peer, or a stream that we reset while the peer was sending. The others are counted; a caller with a clock decides how many
 * are too many. What nghttp2 itself counts as a glitch (PRIORITY, unknown frames, empty DATA, header blocks for closed
 * streams) is not counted again.
 */

#include <stdbool.h>
#include <stdint.h>

/* So that a long connection does not save up reasons for a flood of WINDOW_UPDATEs. */
#define GLITCHES_UPDATES_DUE_MAX 65536
/* The same of RST_STREAMs. */
#define GLITCHES_RESETS_DUE_MAX 65536

struct glitches {
        uint32_t count; /* of frames without a reason; its reader clears it */
        uint32_t late_bytes; /* of DATA that can still arrive for streams that we have reset */
        uint32_t late_ends; /* of empty frames that only end such a stream, and can still arrive */
        uint32_t updates_due; /* WINDOW_UPDATEs that have a reason */
        uint32_t pongs_due;
        uint32_t resets_due; /* of a server: RST_STREAMs that it can send, one for each request */
        uint32_t block_bytes; /* received so far of the current header block */
};

/*
 * We reset a stream on which the peer may be sending. Until it knows, it can send as much as the stream's window has room
 * for, and for all such streams together as much as the connection's window has room for now.
 */
static inline void glitches_expect_late(struct glitches *glitches, uint32_t stream_window_bytes,
        uint32_t connection_window_bytes, uint32_t streams_max)
{
        uint64_t bytes = (uint64_t)glitches->late_bytes + stream_window_bytes;

        glitches->late_bytes =
                bytes < connection_window_bytes ? (uint32_t)bytes : connection_window_bytes;
        if (glitches->late_ends < streams_max)
                glitches->late_ends++;
}

/* DATA of @size bytes, padding included, for a closed stream. */
static inline void glitches_late_data(struct glitches *glitches, uint32_t size, bool ends)
{
        if (size > 0 && size <= glitches->late_bytes)
                glitches->late_bytes -= size;
        else if (size == 0 && ends && glitches->late_ends > 0)
                glitches->late_ends--;
        else
                glitches->count++;
}

/*
 * A frame of @size bytes was sent. The peer may open the windows of its stream and the connection for it; some clients do that
 * in steps of one KiB.
 */
static inline void glitches_sent(struct glitches *glitches, uint32_t size)
{
        if (glitches->updates_due < GLITCHES_UPDATES_DUE_MAX)
                glitches->updates_due += 2 + size / 512;
}

static inline void glitches_window_update(struct glitches *glitches)
{
        if (glitches->updates_due > 0)
                glitches->updates_due--;
        else
                glitches->count++;
}

/* A request was sent: its stream may be reset once, also when it is over already. */
static inline void glitches_request_sent(struct glitches *glitches)
{
        if (glitches->resets_due < GLITCHES_RESETS_DUE_MAX)
                glitches->resets_due++;
}

/* RST_STREAM of a server. */
static inline void glitches_reset(struct glitches *glitches)
{
        if (glitches->resets_due > 0)
                glitches->resets_due--;
        else
                glitches->count++;
}

/* An answer to a PING. */
static inline void glitches_pong(struct glitches *glitches)
{
        if (glitches->pongs_due > 0)
                glitches->pongs_due--;
        else
                glitches->count++;
}

/*
 * Another @size bytes of a header block, its beginning if @first. Returns how many more multiples of @unit bytes the block has
 * reached.
 */
static inline uint32_t glitches_block(
        struct glitches *glitches, uint32_t size, bool first, uint32_t unit)
{
        uint32_t before = first ? 0 : glitches->block_bytes;

        glitches->block_bytes = before + size;
        return glitches->block_bytes < unit ? 0 : (before + size) / unit - before / unit;
}
