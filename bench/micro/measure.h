/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the micro-benchmarks: options, CPU time, alternating rounds, and a line for each result.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_ROUNDS_MAX 99

/* One side alone is for a profiler. */
enum measure_sides { MEASURE_BOTH, MEASURE_QUOIT, MEASURE_LIMIT };

struct measure_options {
        bool json;
        unsigned rounds;
        enum measure_sides sides;
};

/*
 * Takes --json, --rounds N, --only quoit|limit and --help; anything else is a complaint and exit(2).
 * @what says what the program measures.
 */
struct measure_options measure_parse(int argc, char **argv, const char *program, const char *what);

/* CPU time of this thread. */
uint64_t measure_cpu_ns(void);

/* One round of one side: does the work and returns what one operation of it took, in nanoseconds. */
typedef double measure_round(void *arg);

/*
 * Runs rounds of both sides in turn and prints the medians and the share of the limit that Quoit
 * reaches: 1 is the limit itself.
 */
void measure_compare(const struct measure_options *options, const char *name, measure_round *quoit,
        measure_round *limit, void *arg);
