/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An HDR histogram (hdrhistogram.org): how often each value occurred, to a relative error that is the same for small and large values.
 * Its memory does not grow, whatever is recorded.
 *
 * One thread writes; others may read meanwhile, and find each counter as it is or was.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HDR_VALUE_BITS 42
/* Larger values count as this one: 73 minutes in nanoseconds. */
#define HDR_VALUE_MAX ((UINT64_C(1) << HDR_VALUE_BITS) - 1)

/* Values are kept to one part in 2^(precision - 1). */
#define HDR_FINE 11  /* three significant digits: 0.1 %, 264 KiB of address space */
#define HDR_COARSE 6 /* 3 %, 10 KiB */

struct hdr {
        unsigned precision;
        _Atomic uint64_t *counts; /* hdr_size() of them */
        _Atomic uint64_t count;   /* of all values */
        _Atomic uint64_t max;
        _Atomic double sum;
        _Atomic double sum_of_squares;
};

/* 0 or -ENOMEM. Memory comes as values do. */
int hdr_init(struct hdr *hdr, unsigned precision);
void hdr_deinit(struct hdr *hdr);

/* How many buckets there are. */
static inline size_t hdr_size(unsigned precision)
{
        return ((size_t)(HDR_VALUE_BITS - precision) << (precision - 1)) + ((size_t)1 << precision);
}

/* Buckets are one value wide below 2^precision, then twice as wide in each next power of two. */
static inline size_t hdr_bucket(unsigned precision, uint64_t value)
{
        unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
        unsigned shift = bits > precision ? bits - precision : 0;

        return ((size_t)shift << (precision - 1)) + (size_t)(value >> shift);
}

/* One thread writes: no locked instruction is needed. */
#define HDR_RAISE(counter, by)                                                                     \
        atomic_store_explicit((counter),                                                           \
                atomic_load_explicit((counter), memory_order_relaxed) + (by),                      \
                memory_order_relaxed)

static inline void hdr_record(struct hdr *hdr, uint64_t value)
{
        if (value > HDR_VALUE_MAX)
                value = HDR_VALUE_MAX;
        HDR_RAISE(&hdr->counts[hdr_bucket(hdr->precision, value)], 1);
        HDR_RAISE(&hdr->count, 1);
        HDR_RAISE(&hdr->sum, (double)value);
        HDR_RAISE(&hdr->sum_of_squares, (double)value * (double)value);
        if (value > atomic_load_explicit(&hdr->max, memory_order_relaxed))
                atomic_store_explicit(&hdr->max, value, memory_order_relaxed);
}

/* Adds all values of @from, which has the same precision. */
void hdr_add(struct hdr *hdr, const struct hdr *from);

/* As it was at first. */
void hdr_clear(struct hdr *hdr);

static inline uint64_t hdr_count(const struct hdr *hdr)
{
        return atomic_load_explicit(&hdr->count, memory_order_relaxed);
}

static inline uint64_t hdr_max(const struct hdr *hdr)
{
        return atomic_load_explicit(&hdr->max, memory_order_relaxed);
}

/* The least value that at least @percent of all are not above, rounded up to the end of its bucket, but not above the maximum. 0: none. */
uint64_t hdr_percentile(const struct hdr *hdr, double percent);

double hdr_mean(const struct hdr *hdr);
double hdr_deviation(const struct hdr *hdr); /* standard deviation */

/*
 * Walks the buckets that have values, from small to large; *@cursor is 0 at first. False: there are no more. *@ret_value is the largest
 * value of the bucket, *@ret_count how many it has.
 */
bool hdr_next(const struct hdr *hdr, size_t *cursor, uint64_t *ret_value, uint64_t *ret_count);
