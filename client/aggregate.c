/* SPDX-License-Identifier: MIT */
#include "client/aggregate.h"

quoit_channel_state aggregate_all(const struct state_counts *counts)
{
        if (counts->ready > 0)
                return QUOIT_CHANNEL_READY;
        if (counts->connecting > 0)
                return QUOIT_CHANNEL_CONNECTING;
        return counts->idle > 0 ? QUOIT_CHANNEL_IDLE : QUOIT_CHANNEL_TRANSIENT_FAILURE;
}

quoit_channel_state aggregate_ring(const struct state_counts *counts)
{
        bool has_others = counts->connecting + counts->idle > 0;

        if (counts->ready > 0)
                return QUOIT_CHANNEL_READY;
        if (counts->failed > 1)
                return QUOIT_CHANNEL_TRANSIENT_FAILURE;
        if (counts->connecting > 0 || (counts->failed == 1 && has_others))
                return QUOIT_CHANNEL_CONNECTING;
        return counts->idle > 0 ? QUOIT_CHANNEL_IDLE : QUOIT_CHANNEL_TRANSIENT_FAILURE;
}
