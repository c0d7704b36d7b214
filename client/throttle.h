/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Throttling of retries (gRPC's proposal A6): where many calls fail nothing is sent again, or an overloaded server would get even more.
 * Counts thousandths of a token. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/service_config.h"

struct throttle {
        struct throttling limits;
        uint32_t tokens;
};

/* All tokens are there. */
static inline void throttle_init(struct throttle *throttle, struct throttling limits)
{
        *throttle = (struct throttle){ .limits = limits, .tokens = limits.tokens_max };
}

/* A call has succeeded. */
static inline void throttle_note_success(struct throttle *throttle)
{
        uint32_t room = throttle->limits.tokens_max - throttle->tokens;
        uint32_t ratio = throttle->limits.token_ratio;

        throttle->tokens += ratio < room ? ratio : room;
}

/* An attempt has failed in a way that is tried again, or its server has asked not to. */
static inline void throttle_note_failure(struct throttle *throttle)
{
        throttle->tokens -= throttle->tokens < 1000 ? throttle->tokens : 1000;
}

/* Whether anything may be sent again. */
static inline bool throttle_allows(const struct throttle *throttle)
{
        return throttle->limits.tokens_max == 0 ||
               throttle->tokens > throttle->limits.tokens_max / 2;
}
