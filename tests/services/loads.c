/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What must be refused, and leaves the report as it is. */
static bool refuses_bad(quoit_load_reports *reports)
{
        static const quoit_load_value too_much = { "disk", 1.5 }, no_text = { "\xff", 0.5 };
        static const quoit_load bad[] = {
                { .cpu_utilization = -1 },
                { .cpu_utilization = NAN },
                { .requests_per_second = INFINITY },
                { .memory_utilization = 1.5 },
                { .utilizations = &too_much, .utilization_count = 1 },
                { .utilizations = &no_text, .utilization_count = 1 },
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                if (quoit_load_reports_set(reports, bad + i) != -EINVAL)
                        return false;
        }
        return true;
}

int loads_add(struct test_server *test, const char *load)
{
        const quoit_load_reports_options options = {
                .interval_ms_min = 20,
                .with_calls = strstr(load, ",calls"),
        };
        const quoit_load_value disk = { "disk", 0.25 };
        quoit_load_reports *reports;
        int r = quoit_load_reports_register(test->server, &options, &reports);

        if (r == 0)
                r = quoit_load_reports_set(
                        reports, &(quoit_load){ .cpu_utilization = strtod(load, NULL),
                                         .requests_per_second = 100,
                                         .utilizations = &disk,
                                         .utilization_count = 1 });
        return r == 0 && !refuses_bad(reports) ? -EPROTO : r;
}
