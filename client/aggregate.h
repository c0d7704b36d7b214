/* SPDX-License-Identifier: MIT */
#pragma once

/* The state of a channel from those of its addresses. Pure. */

#include <quoit/client.h>

struct state_counts {
        unsigned ready, connecting, idle, failed;
};

/* Of a policy that uses all: the best of them, in gRPC's order READY, CONNECTING, IDLE, TRANSIENT_FAILURE. */
quoit_channel_state aggregate_all(const struct state_counts *counts);

/* Of ring_hash (gRPC's proposal A42): a second address that fails is the failure of what the first one's calls fell back to. */
quoit_channel_state aggregate_ring(const struct state_counts *counts);
