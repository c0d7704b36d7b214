/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Repeatable randomness (splitmix64): the state is the seed, so a test that fails names it and is
 * run again with it.
 */
static inline uint64_t random_u64(uint64_t *state)
{
        uint64_t z = *state += 0x9e3779b97f4a7c15;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
}

/* From 0 to @max, both included. */
static inline size_t random_upto(uint64_t *state, size_t max)
{
        return (size_t)(random_u64(state) % (max + 1));
}

static inline void random_fill(uint64_t *state, void *data, size_t size)
{
        uint8_t *p = data;

        for (size_t i = 0; i < size; i++)
                p[i] = (uint8_t)random_u64(state);
}
