/* SPDX-License-Identifier: MIT */
#pragma once

/* Which of some servers, chosen at random, has the fewest calls (gRPC's proposal A48). Pure. */

#include <stdint.h>

/*
 * The index of one of @count servers, at least 1: of @choices that @draw(@user) names, each drawn from all, the first with the fewest
 * @calls_of(@user, index).
 */
uint32_t least_request_choose(uint32_t count, uint32_t choices, uint64_t (*draw)(void *user),
        uint32_t (*calls_of)(void *user, uint32_t index), void *user);
