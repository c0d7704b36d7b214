/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Servers and calls on a ring of hashes: a call belongs to the first server behind its own hash. A server has many places, so when one
 * goes its calls spread over all others, and no other call moves (gRPC's proposal A42). Pure.
 */

#include <stdint.h>

struct hash_ring_place {
        uint64_t hash;
        uint32_t index; /* of the server */
};

struct hash_ring {
        struct hash_ring_place *places; /* sorted */
        uint32_t count;
};

/*
 * Places for @count servers with these @names, which decide where: at least @size_min of them, in proportion to @shares, which are above
 * 0; for the one with the smallest share a whole number; unless that is more than @size_max. Takes zeroed memory, or a ring, which it
 * replaces. 0; -ENOMEM: nothing has changed.
 */
int hash_ring_build(struct hash_ring *ring, const char *const *names, const uint32_t *shares,
        uint32_t count, uint32_t size_min, uint32_t size_max);

void hash_ring_deinit(struct hash_ring *ring);

/* The place that @hash belongs to, as an index of `places`. The ring is not empty. */
uint32_t hash_ring_find(const struct hash_ring *ring, uint64_t hash);
