/* SPDX-License-Identifier: MIT */
#pragma once

/* Numbers by chance, the same for the same seed, so that runs can be compared: SplitMix64 (prng.di.unimi.it). Not for secrets. */

#include <math.h>
#include <stdint.h>

struct chance {
        uint64_t state; /* any number is a seed */
};

static inline uint64_t chance_next(struct chance *chance)
{
        uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

/* From 0 to 1, without 1. */
static inline double chance_fraction(struct chance *chance)
{
        return (double)(chance_next(chance) >> 11) * 0x1p-53;
}

/* From 0 to @most. */
static inline uint64_t chance_below(struct chance *chance, uint64_t most)
{
        /* A multiplication in place of a division; the error of 2^-64 a number is of no importance here. */
        return most == UINT64_MAX
                       ? chance_next(chance)
                       : (uint64_t)((unsigned __int128)chance_next(chance) * (most + 1) >> 64);
}

/* Of exponential distribution, with a mean of 1. */
static inline double chance_exponential(struct chance *chance)
{
        return -log1p(-chance_fraction(chance));
}
