/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How large a window a connection needs: the bytes that arrive in one round trip, its bandwidth × delay (estimated as grpc-go
 * and gRPC C++ do). A round trip is measured by a PING, and only while the peer sends so much that the window can limit it.
 * No clock and no I/O: the caller passes the time, and sends the PING and the SETTINGS.
 */

#include <stdbool.h>
#include <stdint.h>

struct bdp {
        uint64_t asked_ns; /* when the PING was sent that is not answered yet; 0: there is none */
        uint64_t bytes; /* of DATA since then; without one, since the last answer */
        uint64_t bandwidth; /* bytes a second, the largest so far */
        uint32_t window_bytes; /* of a stream, now */
};

static inline void bdp_init(struct bdp *bdp, uint32_t window_bytes)
{
        *bdp = (struct bdp){ .window_bytes = window_bytes };
}

/* The windows were set to @window_bytes for another reason: they can grow again from there. */
static inline void bdp_restart(struct bdp *bdp, uint32_t window_bytes)
{
        bdp->window_bytes = window_bytes;
        bdp->bandwidth = 0;
}

/* @size bytes of DATA arrived. True: measure the round trip, with bdp_ask(). */
static inline bool bdp_received(struct bdp *bdp, uint32_t size)
{
        bdp->bytes += size;
        return bdp->bytes >= bdp->window_bytes / 2 && bdp->asked_ns == 0;
}

/* The PING is sent. */
void bdp_ask(struct bdp *bdp, uint64_t now_ns);

/*
 * The PING was answered. True: set the windows to `window_bytes`, which is more than before and at most @window_bytes_max.
 */
bool bdp_answered(struct bdp *bdp, uint32_t window_bytes_max, uint64_t now_ns);
