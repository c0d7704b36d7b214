/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Servers that answer worse than the others are left alone for a while (gRPC's proposal A50). Pure: the clock and chance are arguments.
 */

#include <stdbool.h>
#include <stdint.h>

/* Each check, from which share of the hosts' calls on. */
struct outlier_check {
        uint32_t
                enforcement_percent; /* how many of those found are ejected, by chance; 0: no such check */
        uint32_t hosts_min; /* with so many calls in the interval, or there is no check */
        uint32_t calls_min; /* of one host in the interval, or it is not looked at */
};

struct outlier_rules {
        uint64_t interval_ns; /* between two looks */
        uint64_t base_ns,
                max_ns; /* a host is ejected for the first of them, longer each time, up to the other */
        uint32_t ejected_percent_max; /* of all hosts; one more is ejected while fewer are */
        struct outlier_check success_rate;
        uint32_t
                stdev_factor; /* success_rate: worse than the mean by so many thousandths of the standard deviation */
        struct outlier_check failure_percentage;
        uint32_t threshold_percent; /* failure_percentage: more than that of its calls fail */
};

/* A50's numbers, with both checks. */
extern const struct outlier_rules outlier_defaults;

/* One host. Zeroed to begin with. */
struct outlier {
        uint32_t succeeded, failed; /* calls since the last look */
        uint64_t ejected_ns; /* when it was; 0: it is not */
        uint32_t multiplier; /* how often in a row, less the looks in between */
};

static inline bool outlier_is_ejected(const struct outlier *outlier)
{
        return outlier->ejected_ns != 0;
}

/* A look at all @count hosts, at @now_ns, which is not 0: some are ejected, the time of others is over. Counts begin anew. */
void outlier_look(const struct outlier_rules *rules, struct outlier *const *outliers,
        uint32_t count, uint64_t now_ns, uint64_t (*draw)(void *user), void *user);
