/* SPDX-License-Identifier: MIT */
#include "client/least_request.h"

uint32_t least_request_choose(uint32_t count, uint32_t choices, uint64_t (*draw)(void *user),
        uint32_t (*calls_of)(void *user, uint32_t index), void *user)
{
        uint32_t best = (uint32_t)(draw(user) % count);

        for (uint32_t i = 1; i < choices; i++) {
                uint32_t other = (uint32_t)(draw(user) % count);

                if (calls_of(user, other) < calls_of(user, best))
                        best = other;
        }
        return best;
}
