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

/* --- both engines --- */

/* What start_ring() makes rings of; a program runs its tests on each. */
static enum ring_engine engine_under_test;

static inline int start_ring(struct ring *ring, const struct ring_options *options)
{
        struct ring_options with_engine = options ? *options : (struct ring_options){};

        with_engine.engine = engine_under_test;
        return ring_init(ring, &with_engine);
}

static inline bool on_uring(void)
{
        return engine_under_test == RING_URING;
}

/* For what is io_uring's alone. */
#define ONLY_ON_URING()                                                                            \
        do {                                                                                       \
                if (!on_uring()) {                                                                 \
                        print_message("only on io_uring\n");                                       \
                        return;                                                                    \
                }                                                                                  \
        } while (0)

/* @name: of the module. How many tests failed. */
#define RUN_ON_BOTH_ENGINES(name, tests)                                                           \
        ({                                                                                         \
                int failed;                                                                        \
                                                                                                   \
                engine_under_test = RING_URING;                                                    \
                failed = cmocka_run_group_tests_name(name " on io_uring", tests, NULL, NULL);      \
                engine_under_test = RING_EPOLL;                                                    \
                failed += cmocka_run_group_tests_name(name " on epoll", tests, NULL, NULL);        \
                failed;                                                                            \
        })
