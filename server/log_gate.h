/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many lines a second may be written about what peers do: they must not be able to fill a disk. A bucket of tokens,
 * shared by all rings. What is kept quiet is counted, and told of with the next line.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct log_gate {
        pthread_mutex_t mutex;
        uint64_t seen_ns; /* the bucket was looked at */
        uint64_t tokens_ns; /* what is in it, in time: a line costs 1 s / @lines_per_second */
        uint64_t quiet; /* lines since the last one */
};

void log_gate_init(struct log_gate *gate);
void log_gate_deinit(struct log_gate *gate);

/*
 * Whether a line may be written now, and in *@ret_quiet how many before it were not. Ten seconds' worth may come at
 * once. @now_ns: monotonic. Any thread.
 */
bool log_gate_open(
        struct log_gate *gate, uint32_t lines_per_second, uint64_t now_ns, uint64_t *ret_quiet);
