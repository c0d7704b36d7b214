/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a ring does when its connections hold much of its part of `memory_bytes_max`. That none gets more than what is left is
 * looked at where it takes it (call/room.h). Here, while more than half is held, once a second: calls that waited for room go
 * on, a connection that holds much and neither sends nor takes loses its calls (`memory_stall_ms`), and the log is told.
 */

#include <stdint.h>

#include "core/timer.h"

struct base;

struct shortage {
        struct timer timer; /* runs while there may be something to do */
        uint64_t refused_logged; /* refused calls that were logged, ... */
        uint64_t logged_ns; /* ... last at this time */
        void (*on_shortage)(struct base *base, uint64_t count); /* as base_options has it */
};

/* Since when a connection holds much and moves little. */
struct memory_hold {
        uint64_t since_ns; /* 0: it does not */
        uint64_t moved_bytes; /* of its group, at that time */
};

void shortage_init(
        struct shortage *shortage, void (*on_shortage)(struct base *base, uint64_t count));

/* Once in each turn, at its end: cheap where there is no shortage. */
void shortage_look(struct base *base);
