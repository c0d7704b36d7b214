/* SPDX-License-Identifier: MIT */
#pragma once

/* What a server's reports of its load make it weigh (gRPC's proposal A58). Pure. */

#include <stdint.h>

#include "codec/load_report.h"

struct load_weight {
        double value;
        uint64_t since_ns; /* when reports began, without a gap; 0: there are none */
        uint64_t updated_ns; /* the last one */
};

/* Its connection is new: what it said before is of no use. */
static inline void load_weight_reset(struct load_weight *weight)
{
        *weight = (struct load_weight){ 0 };
}

/* A report, at @now_ns. @error_penalty: how much a share of errors adds to the utilization. One without numbers is ignored. */
void load_weight_report(struct load_weight *weight, const struct load_report *report,
        double error_penalty, uint64_t now_ns);

/*
 * What it weighs; 0: not known. Reports count once they have come for @blackout_ns, so that a server that starts is not flooded; and no
 * more when the last is @expiration_ns old.
 */
double load_weight_now(
        struct load_weight *weight, uint64_t blackout_ns, uint64_t expiration_ns, uint64_t now_ns);
