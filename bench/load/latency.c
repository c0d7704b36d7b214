/* SPDX-License-Identifier: MIT */
#include "bench/load/latency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DIGIT_BITS 16
#define DIGITS (1u << DIGIT_BITS)

static uint32_t *map_values(size_t count)
{
        void *values = mmap(NULL, (count + 1) * sizeof(uint32_t), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        return values == MAP_FAILED ? NULL : values;
}

static void unmap_values(uint32_t *values, size_t count)
{
        munmap(values, (count + 1) * sizeof(uint32_t));
}

int latency_init(struct latency *latency, size_t capacity)
{
        uint32_t *values = map_values(capacity);

        if (!values)
                return -errno;
        *latency = (struct latency){ .values = values, .capacity = capacity };
        return 0;
}

void latency_deinit(struct latency *latency)
{
        unmap_values(latency->values, latency->capacity);
}

/* From @from to @to in the order of the digit at @shift, otherwise as they were. */
static void sort_by_digit(uint32_t *to, const uint32_t *from, size_t count, unsigned shift)
{
        static size_t places[DIGITS];
        size_t place = 0;

        memset(places, 0, sizeof(places));
        for (size_t i = 0; i < count; i++)
                places[(from[i] >> shift) % DIGITS]++;
        for (size_t digit = 0; digit < DIGITS; digit++) {
                size_t values = places[digit];

                places[digit] = place;
                place += values;
        }
        for (size_t i = 0; i < count; i++)
                to[places[(from[i] >> shift) % DIGITS]++] = from[i];
}

static int compare(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* A radix sort: millions of values in milliseconds. */
static void sort(uint32_t *values, size_t count)
{
        uint32_t *other = count > DIGITS ? map_values(count) : NULL;

        if (!other) {
                qsort(values, count, sizeof(*values), compare);
                return;
        }
        sort_by_digit(other, values, count, 0);
        sort_by_digit(values, other, count, DIGIT_BITS);
        unmap_values(other, count);
}

static double to_us(uint32_t value)
{
        return value * (LATENCY_UNIT_NS / 1000.0);
}

/* The least value that at least @permille of all are not above. */
static double percentile_us(const struct latency *latency, size_t permille)
{
        size_t rank = (latency->count * permille + 999) / 1000;

        return to_us(latency->values[rank - 1]);
}

struct latency_summary latency_summarize(struct latency *latency)
{
        double sum = 0;

        if (latency->count == 0)
                return (struct latency_summary){ 0 };
        sort(latency->values, latency->count);
        for (size_t i = 0; i < latency->count; i++)
                sum += to_us(latency->values[i]);
        return (struct latency_summary){
                .p50_us = percentile_us(latency, 500),
                .p90_us = percentile_us(latency, 900),
                .p99_us = percentile_us(latency, 990),
                .p999_us = percentile_us(latency, 999),
                .max_us = to_us(latency->values[latency->count - 1]),
                .mean_us = sum / (double)latency->count,
        };
}
