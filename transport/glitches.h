/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Frames that a peer may send by the rules of HTTP/2, or that look so, and that are of no use to anybody. Some of them have a
 * reason: what we sent to the peer, or a stream that we reset while the peer was sending. The others are counted; whoever has a
 * clock decides when they are too many. What nghttp2 itself counts as a glitch (PRIORITY, unknown frames, empty DATA, header
 * blocks for streams that are over) is not counted again. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

/* What was sent long ago is no reason for ever more WINDOW_UPDATEs. */
#define GLITCHES_UPDATES_DUE_MAX 65536

struct glitches {
        uint32_t count; /* of those without a reason; its reader clears it */
        uint32_t late_bytes; /* of DATA that may still come for streams that we have reset */
        uint32_t
                late_ends; /* of empty frames that only end such a stream, and may still come, too */
        uint32_t updates_due; /* WINDOW_UPDATEs that have a reason */
        uint32_t pongs_due;
        uint32_t block_bytes; /* of the header block that is on its way, as it comes */
};

/*
 * We reset a stream that the peer may be sending on. Until it knows, it may send as much as the stream's window had room
 * for, and for all such streams together no more than what the connection's has room for now.
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

/* DATA of @size bytes, padding included, for a stream that is over. */
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
 * A frame of @size bytes was sent that the peer may open windows for: its stream's and the connection's. Some clients do so
 * in steps of a KiB.
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

/* An answer to a PING. */
static inline void glitches_pong(struct glitches *glitches)
{
        if (glitches->pongs_due > 0)
                glitches->pongs_due--;
        else
                glitches->count++;
}

/*
 * Another @size bytes of a header block, its beginning if @first. Returns how many times the block has passed @unit bytes
 * by them.
 */
static inline uint32_t glitches_block(
        struct glitches *glitches, uint32_t size, bool first, uint32_t unit)
{
        uint32_t before = first ? 0 : glitches->block_bytes;

        glitches->block_bytes = before + size;
        return glitches->block_bytes < unit ? 0 : (before + size) / unit - before / unit;
}
