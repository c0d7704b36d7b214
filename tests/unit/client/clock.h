/* SPDX-License-Identifier: MIT */
#pragma once

/* The rings' clock can be put forward. A program with clock.c is linked with --wrap=system_now, so that this stands in place of core/engine's. */

#include "stage.h"

/*
 * Rings are so much later, until clock_restore(), and the client's has made a turn. What it waits for from then on comes late, as the kernel
 * has its own time.
 */
void clock_advance(struct stage *stage, uint64_t time_ns);
void clock_restore(void);
