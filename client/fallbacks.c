/* SPDX-License-Identifier: MIT */
#include "client/fallbacks.h"

#include <errno.h>

#include "client/target.h"

/* Of one target. */
static int add(struct fallbacks *fallbacks, const char *text, unsigned room)
{
        struct target target;
        int r = target_parse(text, &target);

        if (r < 0)
                return r;
        if (target.count == 0)
                return -EINVAL;
        if (target.count > room - fallbacks->count)
                return -E2BIG;
        for (unsigned i = 0; i < target.count; i++)
                fallbacks->addresses[fallbacks->count++] =
                        (struct address){ .endpoint = target.addresses[i],
                                .tier = fallbacks->tiers,
                                .is_fallback = true };
        fallbacks->tiers++;
        return 0;
}

int fallbacks_parse(const quoit_channel_options *options, unsigned address_count,
        struct fallbacks *ret_fallbacks)
{
        unsigned room = QUOIT_CHANNEL_ADDRESSES_MAX - (address_count > 0 ? address_count : 1);
        int r = 0;

        ret_fallbacks->count = ret_fallbacks->tiers = 0;
        if (options->fallback_target_count >= QUOIT_CHANNEL_TIERS_MAX)
                return -E2BIG;
        for (size_t i = 0; r == 0 && i < options->fallback_target_count; i++)
                r = add(ret_fallbacks, options->fallback_targets[i], room);
        return r;
}
