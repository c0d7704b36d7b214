/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench/load/load.h"

/*
 * The three things a load generator is started for. Each runs to its end. False: it could not even
 * begin, and said why on stderr; else @load has the results.
 */

bool run_measure(struct load *load);

/* One call on each connection, 'idle' on stdout, then until the end of stdin. */
bool run_idle(struct load *load);

/* Connects again and again until a call was answered. */
bool run_first_call(struct load *load);
