/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a server says about its health (grpc.health.v1.Health, gRPC's proposal A17): where the channel's service config names a service,
 * each connection has a Watch of it, and balancers see what that says. Not with pick_first.
 */

#include <stdbool.h>

#include "client/feed.h"

struct service_config;
struct subchannel;

enum health {
        HEALTH_UNWATCHED, /* nobody asks, or the server cannot tell: calls go there */
        HEALTH_ASKED, /* there is no answer yet */
        HEALTH_SERVING,
        HEALTH_NOT_SERVING, /* or the Watch has failed, and begins again after a pause */
};

struct health_check {
        enum health health;
        struct feed watch;
};

/* Its connection is READY. The balancer hears of all that follows, but not of this. */
void health_check_begin(struct subchannel *subchannel);

/* Its connection takes no more calls. */
void health_check_end(struct subchannel *subchannel);

/* Whether two service configs, NULL: none, ask for the same service. */
bool health_check_is_same(const struct service_config *one, const struct service_config *other);

/* The channel's service config asks for another service than before. No-op if the subchannel is not READY. */
void health_check_restart(struct subchannel *subchannel);
