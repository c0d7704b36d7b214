/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When calls are due in an open loop, whatever the server does: the rate over time, as stages that follow each other, and how the calls
 * come at that rate.
 *
 * A rate that grows or falls evenly begins call number n when the area under the rate is n. Calls by chance (a Poisson process) have an
 * area of exponential distribution, with a mean of 1, between them. So one function, from an area to its time, serves both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"

#define PROFILE_STAGES_MAX 256

struct stage {
        double seconds;    /* more than 0; INFINITY: the last one, which does not end */
        double first_rate; /* calls a second, at its begin */
        double last_rate;  /* and at its end; as @first_rate if it does not end */
};

struct profile {
        struct stage stages[PROFILE_STAGES_MAX + 1]; /* and the warm-up */
        size_t count;
};

/*
 * Parses what --rate says: STAGES with commas between them, each "RATE" or "RATE..RATE" (from the one to the other) and "@TIME" if it
 * shall last so long; "k" behind a rate is thousands. Those without a time share @seconds evenly, less what the others take; INFINITY:
 * without an end, which only a single stage can be.
 * NULL; or what is wrong, static, and *@profile is undefined.
 */
const char *profile_parse(struct profile *profile, const char *text, double seconds);

/* Puts a stage of @seconds before all others, with the rate that they begin with. Once. */
void profile_warm_up(struct profile *profile, double seconds);

/* All stages together. INFINITY: the last one does not end. */
double profile_seconds(const struct profile *profile);

/* The rate at a time. 0: it is over. */
double profile_rate(const struct profile *profile, double seconds);

/* How many calls are due in all; INFINITY. */
double profile_calls(const struct profile *profile);

/* The calls of one of several threads that share a profile. */
struct arrivals {
        const struct profile *profile;
        size_t stage;       /* in which the next one is */
        double stage_calls; /* that are due before it */
        double stage_begin; /* in seconds */
        double next;        /* the next one's place: an area */
        double step;        /* between two: of one thread */
        bool by_chance;
        struct chance chance;
};

/* Thread number @lane of @lanes, from 0. @profile must live as long as it. @by_chance: a Poisson process, made from @seed. */
void arrivals_init(struct arrivals *arrivals, const struct profile *profile, unsigned lane,
        unsigned lanes, bool by_chance, uint64_t seed);

/* When the next call is due, in nanoseconds since the begin; UINT64_MAX: there is none. Call number n comes after n - 1. */
uint64_t arrivals_next_ns(struct arrivals *arrivals);
