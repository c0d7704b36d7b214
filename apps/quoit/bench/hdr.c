/* SPDX-License-Identifier: MIT */
#include "hdr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

int hdr_init(struct hdr *hdr, unsigned precision)
{
        /* a mapping, of which only what is touched takes memory */
        void *counts = mmap(NULL, hdr_size(precision) * sizeof(*hdr->counts),
                PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (counts == MAP_FAILED)
                return -ENOMEM;
        *hdr = (struct hdr){ .precision = precision, .counts = counts };
        return 0;
}

void hdr_deinit(struct hdr *hdr)
{
        if (hdr->counts)
                munmap(hdr->counts, hdr_size(hdr->precision) * sizeof(*hdr->counts));
        hdr->counts = NULL;
}

static uint64_t load(const _Atomic uint64_t *counter)
{
        return atomic_load_explicit(counter, memory_order_relaxed);
}

void hdr_add(struct hdr *hdr, const struct hdr *from)
{
        for (size_t i = 0, size = hdr_size(hdr->precision); i < size; i++) {
                uint64_t count = load(&from->counts[i]);

                if (count > 0) /* what is not touched takes no memory */
                        HDR_RAISE(&hdr->counts[i], count);
        }
        HDR_RAISE(&hdr->count, load(&from->count));
        HDR_RAISE(&hdr->sum, atomic_load_explicit(&from->sum, memory_order_relaxed));
        HDR_RAISE(&hdr->sum_of_squares,
                atomic_load_explicit(&from->sum_of_squares, memory_order_relaxed));
        if (hdr_max(from) > hdr_max(hdr))
                atomic_store_explicit(&hdr->max, hdr_max(from), memory_order_relaxed);
}

void hdr_clear(struct hdr *hdr)
{
        for (size_t i = 0, size = hdr_size(hdr->precision); i < size; i++)
                if (load(&hdr->counts[i]) > 0)
                        atomic_store_explicit(&hdr->counts[i], 0, memory_order_relaxed);
        atomic_store_explicit(&hdr->count, 0, memory_order_relaxed);
        atomic_store_explicit(&hdr->max, 0, memory_order_relaxed);
        atomic_store_explicit(&hdr->sum, 0, memory_order_relaxed);
        atomic_store_explicit(&hdr->sum_of_squares, 0, memory_order_relaxed);
}

/* The largest value of the bucket. */
static uint64_t bucket_end(const struct hdr *hdr, size_t bucket)
{
        size_t half = (size_t)1 << (hdr->precision - 1);
        size_t shift = bucket < 2 * half ? 0 : bucket / half - 1;

        return ((uint64_t)(bucket - shift * half) << shift) + (UINT64_C(1) << shift) - 1;
}

bool hdr_next(const struct hdr *hdr, size_t *cursor, uint64_t *ret_value, uint64_t *ret_count)
{
        size_t size = hdr_size(hdr->precision);

        while (*cursor < size) {
                size_t bucket = (*cursor)++;
                uint64_t count = load(&hdr->counts[bucket]), end = bucket_end(hdr, bucket);

                if (count == 0)
                        continue;
                *ret_value = end < hdr_max(hdr) ? end : hdr_max(hdr);
                *ret_count = count;
                return true;
        }
        return false;
}

uint64_t hdr_percentile(const struct hdr *hdr, double percent)
{
        double rank = ceil((double)hdr_count(hdr) * percent / 100);
        uint64_t value = 0, count, below = 0;
        size_t cursor = 0;

        while (hdr_next(hdr, &cursor, &value, &count)) {
                below += count;
                if ((double)below >= rank)
                        break;
        }
        return value;
}

double hdr_mean(const struct hdr *hdr)
{
        uint64_t count = hdr_count(hdr);

        return count > 0 ? hdr->sum / (double)count : 0;
}

double hdr_deviation(const struct hdr *hdr)
{
        double mean = hdr_mean(hdr), count = (double)hdr_count(hdr);
        double variance = count > 0 ? hdr->sum_of_squares / count - mean * mean : 0;

        return variance > 0 ? sqrt(variance) : 0;
}
