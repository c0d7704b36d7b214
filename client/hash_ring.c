/* SPDX-License-Identifier: MIT */
#include "client/hash_ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/xxhash.h"

#define NAME_BYTES 256 /* with "_NUMBER"; what is longer counts up to this */

static int compare_places(const void *one, const void *other)
{
        const struct hash_ring_place *a = one, *b = other;

        if (a->hash != b->hash)
                return a->hash < b->hash ? -1 : 1;
        return a->index < b->index ? -1 : a->index > b->index;
}

/* As other implementations of gRPC do, so that they agree: XXH64 of "NAME_NUMBER". */
static uint64_t hash_place(const char *name, uint32_t number)
{
        char text[NAME_BYTES];
        int size = snprintf(text, sizeof(text), "%.*s_%u", NAME_BYTES - 12, name, number);

        return xxhash64(text, (size_t)size);
}

/* How many places there are in all (A42). @total: of all shares. */
static uint32_t size_of(const uint32_t *shares, uint32_t count, uint64_t total, uint32_t size_min,
        uint32_t size_max)
{
        uint64_t least = UINT32_MAX, of_least;
        double size;

        for (uint32_t i = 0; i < count; i++)
                least = shares[i] < least ? shares[i] : least;
        of_least = total > 0 ? (least * size_min + total - 1) / total : 0;
        size = count > 0 ? (double)of_least * (double)total / (double)least : 0;
        return size < size_max ? (uint32_t)size : size_max;
}

int hash_ring_build(struct hash_ring *ring, const char *const *names, const uint32_t *shares,
        uint32_t count, uint32_t size_min, uint32_t size_max)
{
        uint64_t total = 0, so_far = 0;
        uint32_t size, done = 0;
        struct hash_ring_place *places;

        for (uint32_t i = 0; i < count; i++)
                total += shares[i];
        size = size_of(shares, count, total, size_min, size_max);
        places = malloc((size ? size : 1) * sizeof(*places));
        if (!places)
                return -ENOMEM;
        for (uint32_t i = 0; i < count; i++) {
                uint32_t end = (uint32_t)(size * (so_far += shares[i]) / total);

                for (uint32_t number = 0; done < end; number++, done++)
                        places[done] = (struct hash_ring_place){ hash_place(names[i], number), i };
        }
        if (size > 0)
                qsort(places, size, sizeof(*places), compare_places);
        free(ring->places);
        *ring = (struct hash_ring){ places, size };
        return 0;
}

void hash_ring_deinit(struct hash_ring *ring)
{
        free(ring->places);
        *ring = (struct hash_ring){ 0 };
}

uint32_t hash_ring_find(const struct hash_ring *ring, uint64_t hash)
{
        uint32_t from = 0, to = ring->count;

        while (from < to) {
                uint32_t middle = from + (to - from) / 2;

                if (ring->places[middle].hash < hash)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from < ring->count ? from : 0;
}
