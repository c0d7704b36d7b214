/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How large a window a connection needs: what it brings in the time of a round trip, its bandwidth × delay (as grpc-go and
 * gRPC C++ estimate it). A round trip is measured by a PING, and only while the peer sends so much that a window may be
 * what holds it up. Pure: whoever holds it has the clock, and sends the PING and the SETTINGS.
 */

#include <stdbool.h>
#include <stdint.h>

struct bdp {
        uint64_t asked_ns; /* when the PING went out that is not answered yet; 0: there is none */
        uint64_t bytes; /* of DATA since then; without one, since the last answer */
        uint64_t bandwidth; /* bytes a second, the most that was seen */
        uint32_t window_bytes; /* a stream's, as it is */
};

static inline void bdp_init(struct bdp *bdp, uint32_t window_bytes)
{
        *bdp = (struct bdp){ .window_bytes = window_bytes };
}

/* The windows are @window_bytes again, for another reason: they may grow anew. */
static inline void bdp_restart(struct bdp *bdp, uint32_t window_bytes)
{
        bdp->window_bytes = window_bytes;
        bdp->bandwidth = 0;
}

/* @size bytes of DATA came. True: the round trip is to be measured, bdp_ask(). */
static inline bool bdp_received(struct bdp *bdp, uint32_t size)
{
        bdp->bytes += size;
        return bdp->bytes >= bdp->window_bytes / 2 && bdp->asked_ns == 0;
}

/* The PING goes out. */
void bdp_ask(struct bdp *bdp, uint64_t now_ns);

/*
 * It was answered. True: windows are to be of `window_bytes` from now on, which is more than before, and @window_bytes_max at
 * most.
 */
bool bdp_answered(struct bdp *bdp, uint32_t window_bytes_max, uint64_t now_ns);
