/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What fails in a run: the n-th allocation, or the n-th operation, on the threads of one side; alone, or with all that follow.
 * Operations are what the engine does (connect, accept, receive, send, post to a ring, close), and wrapped calls of the system.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/sim.h"

/* Whose a thread is: fibers.h. */
enum side { SIDE_NONE, SIDE_SERVER, SIDE_CLIENT, SIDES };

struct plan {
        enum side side;
        enum sim_kind kind;
        uint64_t at; /* 1: the first one. 0: nothing fails */
        bool goes_on; /* all from there on fail */
        bool is_shown; /* where it happens is printed, in a build with AddressSanitizer */
};

/* Of the run that begins. */
void plan_begin(const struct plan *plan);
const struct plan *plan_now(void);

/* It has begun to fail. */
bool plan_has_fired(void);

/* How many there were in the run. */
uint64_t plan_count(enum side side, enum sim_kind kind);

const char *plan_side_name(enum side side);
const char *plan_kind_name(enum sim_kind kind);
