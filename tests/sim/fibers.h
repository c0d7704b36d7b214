/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The product's threads as fibers of one thread: the linker (--wrap) replaces pthread_create() and related functions. Chance
 * decides which fiber runs next; it runs alone until it waits, so a run is the same each time.
 */

#include <stdbool.h>
#include <stdint.h>

/* A new fiber, which can run from the next fibers_step() on. */
void fiber_start(const char *name, void *(*run)(void *arg), void *arg);

/* Runs one of the fibers that can run; false: none can now. @ret_next_ns: when the next one can; SIM_NEVER: none ever. */
bool fibers_step(uint64_t *ret_next_ns);

/* How many have not ended. */
unsigned fibers_alive(void);

/* How many wait for the condition variable @cond; *@ret_signalled of them were signalled and have not run since. */
unsigned fibers_waiting(const void *cond, unsigned *ret_signalled);

/* Prints the waiting fibers, for people. */
void fibers_print(void);

/* Lets other fibers run, for a time. From a fiber. */
void fiber_sleep(uint64_t time_ns);

bool fiber_is_inside(void);

/* Whose thread the running one is, a number that its threads inherit; 0 at first. */
void fiber_set_side(unsigned side);
unsigned fiber_side(void);

/* All must have ended. */
void fibers_end(void);
