/* SPDX-License-Identifier: MIT */
#include "client/load_weight.h"

#include <math.h>

void load_weight_report(struct load_weight *weight, const struct load_report *report,
        double error_penalty, uint64_t now_ns)
{
        double requests = report->requests_per_second;
        double utilization = report->application_utilization > 0 ? report->application_utilization
                                                                 : report->cpu_utilization;
        double value;

        if (utilization <= 0 || requests <= 0)
                return;
        value = requests / (utilization + report->errors_per_second / requests * error_penalty);
        if (!isfinite(value) || value <= 0)
                return;
        weight->value = value;
        weight->updated_ns = now_ns;
        if (weight->since_ns == 0)
                weight->since_ns = now_ns;
}

double load_weight_now(
        struct load_weight *weight, uint64_t blackout_ns, uint64_t expiration_ns, uint64_t now_ns)
{
        if (weight->since_ns == 0)
                return 0;
        if (now_ns - weight->updated_ns >= expiration_ns) {
                weight->since_ns = 0;
                return 0;
        }
        return now_ns - weight->since_ns >= blackout_ns ? weight->value : 0;
}
