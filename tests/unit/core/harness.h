/* SPDX-License-Identifier: MIT */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ring.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

static inline uint64_t clock_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* Turns @ring until @condition holds. Not within 20 s: the test fails rather than hangs. */
#define TURN_UNTIL(ring, condition)                                                                \
        do {                                                                                       \
                uint64_t turn_limit_ns = clock_ns() + 20 * SECOND;                                 \
                while (!(condition)) {                                                             \
                        assert_true(clock_ns() < turn_limit_ns);                                   \
                        assert_int_equal(ring_turn((ring), 100 * MS), 0);                          \
                }                                                                                  \
        } while (0)

/* Turns @ring for a while, for what must NOT happen. */
static inline void turn_for(struct ring *ring, uint64_t duration_ns)
{
        uint64_t end_ns = clock_ns() + duration_ns;

        while (clock_ns() < end_ns)
                assert_int_equal(ring_turn(ring, MS), 0);
}
