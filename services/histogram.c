/* SPDX-License-Identifier: MIT */
#include "services/histogram.h"

#include <assert.h>

#define NS_PER_S 1e9
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* clang-format off */
static const double durations[] = {
        0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008,
        0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4,
        0.5, 0.65, 0.8, 1, 2, 5, 10, 20, 50, 100,
};
static const double sizes[] = {
        0, 1024, 2048, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824,
        4294967296,
};
static const double repeats[] = { 1, 2, 3, 4, 5 };
static const double transparent_repeats[] = { 1, 2, 3, 4, 5, 10 };
/* clang-format on */

static_assert(COUNT(durations) < HISTOGRAM_COUNTS_MAX, "a count over the last bound");

const struct histogram_scale histogram_durations = { durations, COUNT(durations), NS_PER_S };
const struct histogram_scale histogram_sizes = { sizes, COUNT(sizes), 1 };
const struct histogram_scale histogram_repeats = { repeats, COUNT(repeats), 1 };
const struct histogram_scale histogram_transparent_repeats = { transparent_repeats,
        COUNT(transparent_repeats), 1 };

size_t histogram_record(
        struct histogram *histogram, const struct histogram_scale *scale, uint64_t value)
{
        double shown = (double)value / scale->unit;
        size_t low = 0, high = scale->bound_count;

        /* the first bound that is not below it */
        while (low < high) {
                size_t middle = (low + high) / 2;

                if (scale->bounds[middle] < shown)
                        low = middle + 1;
                else
                        high = middle;
        }
        histogram_add(&histogram->counts[low], 1);
        histogram_add(&histogram->sum, value);
        return low;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
        for (size_t i = 0; i < HISTOGRAM_COUNTS_MAX; i++)
                histogram_add(&histogram->counts[i],
                        atomic_load_explicit(&from->counts[i], memory_order_relaxed));
        histogram_add(&histogram->sum, atomic_load_explicit(&from->sum, memory_order_relaxed));
}

quoit_histogram histogram_show(const struct histogram *histogram,
        const struct histogram_scale *scale, uint64_t counts[HISTOGRAM_COUNTS_MAX])
{
        quoit_histogram shown = {
                .bounds = scale->bounds,
                .bound_count = scale->bound_count,
                .counts = counts,
                .sum = (double)atomic_load(&histogram->sum) / scale->unit,
        };

        for (size_t i = 0; i <= scale->bound_count; i++) {
                counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
                shown.count += counts[i];
        }
        return shown;
}
