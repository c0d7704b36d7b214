/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "report.h"

void report_print_csv(const quoit_bench_Report *report)
{
        size_t count;
        const quoit_bench_Interval *const *timeline = quoit_bench_Report_timeline(report, &count);

        puts("second,seconds,ok,failed,rate,p50_us,p99_us,max_us");
        for (size_t i = 0; i < count; i++)
                printf("%.1f,%.1f,%.0f,%.0f,%.3f,%.1f,%.1f,%.1f\n",
                        quoit_bench_Interval_second(timeline[i]),
                        quoit_bench_Interval_seconds(timeline[i]),
                        quoit_bench_Interval_ok(timeline[i]),
                        quoit_bench_Interval_failed(timeline[i]),
                        quoit_bench_Interval_rate(timeline[i]),
                        quoit_bench_Interval_p50_us(timeline[i]),
                        quoit_bench_Interval_p99_us(timeline[i]),
                        quoit_bench_Interval_max_us(timeline[i]));
}
