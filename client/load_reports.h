/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reports of load out of band (gRPC's proposal A51): where weighted_round_robin is told so, each connection's server is asked for a stream
 * of them, xds.service.orca.v3.OpenRcaService.StreamCoreMetrics, in place of what comes with calls.
 */

#include "client/feed.h"

/* Its connection is READY. feed_end() ends it. No-op if the channel does not want reports. */
void load_reports_begin(struct subchannel *subchannel);

/* The channel's balancing may want others than before. */
void load_reports_restart(struct subchannel *subchannel);
