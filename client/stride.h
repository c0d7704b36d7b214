/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Turns in proportion to weights, spread evenly: the static stride scheduler of gRPC's proposal A58. In 65 535 rounds over all, one of
 * weight w gets a turn in w of them, where the largest is 65 535. Pure.
 */

#include <stdint.h>

#define STRIDE_COUNT_MAX 64

struct stride {
        uint32_t count;
        uint32_t sequence;
        uint16_t weights[STRIDE_COUNT_MAX];
};

/*
 * @count @weights, at least 1 and at most STRIDE_COUNT_MAX, each finite; one that is 0 is not known, and counts as the mean of the
 * others. Where fewer than two are known, all are alike. `sequence` goes on: a random one at first keeps clients apart.
 */
void stride_set(struct stride *stride, const double *weights, uint32_t count);

/* Whose turn it is. */
uint32_t stride_next(struct stride *stride);
