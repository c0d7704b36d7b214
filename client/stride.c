/* SPDX-License-Identifier: MIT */
#include "client/stride.h"

#define WEIGHT_MAX UINT16_MAX
#define OFFSET (WEIGHT_MAX / 2) /* keeps neighbours from leaving out the same round */

/* Never 0: it would wait for ever. */
static uint16_t scale(double weight, double max)
{
        double share = weight < max ? weight / max : 1; /* also where their sum is infinite */
        double scaled = share * WEIGHT_MAX + 0.5;

        return scaled < 1 ? 1 : (uint16_t)scaled;
}

void stride_set(struct stride *stride, const double *weights, uint32_t count)
{
        double sum = 0, max = 0;
        uint32_t known = 0;

        for (uint32_t i = 0; i < count; i++) {
                sum += weights[i];
                max = weights[i] > max ? weights[i] : max;
                known += weights[i] > 0;
        }
        for (uint32_t i = 0; i < count; i++) {
                double weight = weights[i] > 0 ? weights[i] : sum / (known ? known : 1);

                stride->weights[i] = known < 2 ? WEIGHT_MAX : scale(weight, max);
        }
        stride->count = count;
}

uint32_t stride_next(struct stride *stride)
{
        for (;;) {
                uint32_t sequence = stride->sequence++;
                uint32_t index = sequence % stride->count;
                uint64_t weight = stride->weights[index];
                uint64_t round = sequence / stride->count;

                if ((weight * round + (uint64_t)index * OFFSET) % WEIGHT_MAX >= WEIGHT_MAX - weight)
                        return index;
        }
}
