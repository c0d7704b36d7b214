/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a ring does when its connections hold much of its part of `memory_bytes_max`. Where memory is taken, call/room.h
 * makes sure that no connection gets more than what is left. Here, once a second while more than half is held: calls that
 * waited for room go on; a connection that holds much and moves little loses its calls (`memory_stall_ms`); refusals are
 * reported.
 */

#include <stdint.h>

#include "core/timer.h"

struct base;

struct shortage {
        struct timer timer; /* runs while there can be something to do */
        uint64_t refused_reported; /* refused calls that on_shortage() was called for, ... */
        uint64_t reported_ns; /* ... last at this time */
        void (*on_shortage)(struct base *base, uint64_t count); /* as base_options has it */
};

/* Of a connection: since when it holds much, and what it had moved by then. */
struct memory_hold {
        uint64_t since_ns; /* 0: it does not hold much */
        uint64_t moved_bytes; /* of its group, at that time */
};

void shortage_init(
        struct shortage *shortage, void (*on_shortage)(struct base *base, uint64_t count));

/* At the end of each turn: cheap while there is no shortage. */
void shortage_look(struct base *base);
