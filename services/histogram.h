/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A histogram that one thread writes and any reads, in whole numbers (nanoseconds, bytes) until it is shown. Zeroed
 * memory is an empty one.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/metrics.h>

#define HISTOGRAM_COUNTS_MAX 42

/* The buckets, and the unit of the numbers. */
struct histogram_scale {
        const double *bounds;
        size_t bound_count;
        double unit; /* of the bounds, in whole numbers */
};

/* A66's: seconds, recorded in nanoseconds; bytes. */
extern const struct histogram_scale histogram_durations, histogram_sizes;
/* A96's: attempts a call. */
extern const struct histogram_scale histogram_repeats, histogram_transparent_repeats;

struct histogram {
        atomic_ullong counts[HISTOGRAM_COUNTS_MAX];
        atomic_ullong sum;
};

/* By the only thread that writes. */
static inline void histogram_add(atomic_ullong *counter, uint64_t value)
{
        uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

        atomic_store_explicit(counter, old + value, memory_order_relaxed);
}

/* By the only thread that writes. Returns which of the counts @value has its place in. */
size_t histogram_record(
        struct histogram *histogram, const struct histogram_scale *scale, uint64_t value);

/* Adds the counts of @from, which another thread may be writing. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/* The public form, with the counts in @counts. */
quoit_histogram histogram_show(const struct histogram *histogram,
        const struct histogram_scale *scale, uint64_t counts[HISTOGRAM_COUNTS_MAX]);
