/* SPDX-License-Identifier: MIT */
#pragma once

/* Where threads wait until all are connected, so that they begin at the same time; or hear that nothing begins. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        uint64_t begin_ns; /* 0: not yet */
        bool is_off;
};

void gate_init(struct gate *gate);
void gate_deinit(struct gate *gate);

/* Waits. When to begin, CLOCK_MONOTONIC; 0: never. */
uint64_t gate_wait(struct gate *gate);

/* Lets all in; @begin_ns 0: sends them home. The first time counts. */
void gate_open(struct gate *gate, uint64_t begin_ns);
