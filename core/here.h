/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The calling thread. A file of its own, as the simulator has another one in its place: there threads are fibers, which all run on
 * one thread of the system.
 */

#include <stdbool.h>

/* Identifies it: no two threads that run at the same time have the same. It does not change within a function. */
__attribute__((const)) const void *here_thread(void);

/* Whether it runs a turn of a ring, any one. */
bool here_turns(void);

/* A turn begins, or ends. For ring_turn(). */
void here_set_turns(bool turns);
