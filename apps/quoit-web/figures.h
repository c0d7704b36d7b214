/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How calls fared of late: how many, and how long they took. A ring of seconds, each with its own counts; what is older is overwritten.
 * Times are CLOCK_MONOTONIC's. Any thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FIGURES_WINDOW_S 10 /* of latencies */

/*
 * Of latencies in us: one for each value below 8, then 8 for each power of two, up to two minutes. So a percentile is at most an eighth
 * too large.
 */
#define FIGURES_BUCKETS (8 * 25)

struct figures_second {
        uint64_t second;
        uint32_t calls;
        uint32_t latencies[FIGURES_BUCKETS];
};

struct figures {
        pthread_mutex_t mutex; /* rings wait for each other for a few hundred ns */
        uint64_t calls, failures;
        uint32_t running;
        struct figures_second seconds[FIGURES_WINDOW_S + 1]; /* and the one that is not over */
};

struct figures_summary {
        uint64_t calls, failures; /* since the start */
        uint32_t running;
        uint32_t calls_per_second; /* in the last whole second */
        bool has_latency; /* else the following are not set */
        double p50_ms, p90_ms, p99_ms;
};

#define FIGURES_INIT { .mutex = PTHREAD_MUTEX_INITIALIZER }

void figures_begin_call(struct figures *figures);

enum figures_end {
        FIGURES_ANSWERED, /* the latency counts */
        FIGURES_ENDED, /* it does not: of a stream, or of a call that nobody wanted any more */
        FIGURES_FAILED,
};

void figures_end_call(
        struct figures *figures, enum figures_end end, uint64_t now_ns, uint64_t latency_ns);

void figures_read(struct figures *figures, uint64_t now_ns, struct figures_summary *ret_summary);
