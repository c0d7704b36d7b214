/* SPDX-License-Identifier: MIT */
#pragma once

/* Addresses for when those of a channel's target do not serve: its fallback targets, each a tier of its own. Pure. */

#include "client/addresses.h"

struct fallbacks {
        unsigned count;
        unsigned tiers; /* that they are of, from 0 on */
        struct address addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
};

/* Of @options, beside @address_count addresses of the target. 0; -EINVAL, also for a name; -E2BIG; -ENAMETOOLONG. */
int fallbacks_parse(const quoit_channel_options *options, unsigned address_count,
        struct fallbacks *ret_fallbacks);
