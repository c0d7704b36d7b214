/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LATENCY_UNIT_NS 100

/* Every single latency, so that percentiles are exact. */
struct latency {
        uint32_t *values; /* in LATENCY_UNIT_NS; more than 429 s count as that */
        size_t count;
        size_t capacity;
};

struct latency_summary {
        double p50_us;
        double p90_us;
        double p99_us;
        double p999_us;
        double max_us;
        double mean_us;
};

/* Address space for @capacity values; memory comes as they do. 0 or a negative errno. */
int latency_init(struct latency *latency, size_t capacity);
void latency_deinit(struct latency *latency);

static inline void latency_record(struct latency *latency, uint64_t latency_ns)
{
        uint64_t value = latency_ns / LATENCY_UNIT_NS;

        if (latency->count < latency->capacity)
                latency->values[latency->count++] =
                        value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Sorts them; all zero when there are none. */
struct latency_summary latency_summarize(struct latency *latency);
