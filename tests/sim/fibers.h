/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The product's threads as fibers of one thread: pthread_create() and its kin are replaced by the linker (--wrap). Which
 * fiber runs next is chance; it runs until it waits. Nobody else runs meanwhile, so a run is the same each time.
 */

#include <stdbool.h>
#include <stdint.h>

/* Begins to run with the next fibers_step(). */
void fiber_start(const char *name, void *(*run)(void *arg), void *arg);

/* One of those that can go on does; false: none can at this time. @ret_next_ns: when one could, SIM_NEVER: none ever. */
bool fibers_step(uint64_t *ret_next_ns);

/* How many have not ended. */
unsigned fibers_alive(void);

/* How many wait for the condition variable @cond, and of those, how many were signalled and have not run since. */
unsigned fibers_waiting(const void *cond, unsigned *ret_signalled);

/* What waits, for people. */
void fibers_print(void);

/* Lets others go on, for a time. From a fiber. */
void fiber_sleep(uint64_t time_ns);

bool fiber_is_inside(void);

/* All must have ended. */
void fibers_end(void);
