/* SPDX-License-Identifier: MIT */
#pragma once

/* The pauses between attempts to connect (gRPC's connection-backoff document). Pure. */

#include <stdint.h>

struct backoff {
        uint64_t pause_ns; /* the last one, without its jitter; 0: none yet */
};

/* From now on as after a connection that was good. */
static inline void backoff_reset(struct backoff *backoff)
{
        backoff->pause_ns = 0;
}

/* The next pause, in nanoseconds: each 1.6 times the last one, at most @max_ms; plus or minus a fifth by @jitter, a random number. */
uint64_t backoff_next_ns(
        struct backoff *backoff, uint32_t initial_ms, uint32_t max_ms, uint64_t jitter);
