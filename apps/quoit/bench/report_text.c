/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "figures.h"
#include "report.h"

#define US_PER_SECOND 1e6

/* Texts of a server's may hold anything: what would move a terminal's cursor becomes "?". */
static void print_view(upb_StringView text)
{
        for (size_t i = 0; i < text.size; i++) {
                unsigned char c = (unsigned char)text.data[i];

                putchar(c < 0x20 || c == 0x7f ? '?' : c);
        }
}

static void print_settings(const quoit_bench_Report *report)
{
        const quoit_bench_Settings *settings = quoit_bench_Report_settings(report);
        upb_StringView rate = quoit_bench_Settings_rate(settings);
        char text[FIGURE_BYTES];

        print_view(quoit_bench_Report_method(report));
        printf(" at ");
        print_view(quoit_bench_Report_target(report));
        printf(": %s connection%s, ",
                figure_count(text, quoit_bench_Settings_connections(settings)),
                quoit_bench_Settings_connections(settings) == 1 ? "" : "s");
        if (rate.size > 0) {
                print_view(rate);
                printf(" calls/s%s\n", quoit_bench_Settings_poisson(settings) ? " by chance" : "");
        } else {
                printf("%s call%s at a time\n",
                        figure_count(text, quoit_bench_Settings_concurrency(settings)),
                        quoit_bench_Settings_concurrency(settings) == 1 ? "" : "s");
        }
}

static void print_counts(const quoit_bench_Report *report)
{
        char calls[FIGURE_BYTES], time[FIGURE_BYTES], rate[FIGURE_BYTES], share[FIGURE_BYTES];
        double failed = quoit_bench_Report_failed(report);

        printf("  calls    %s in %s, %s/s\n", figure_count(calls, quoit_bench_Report_calls(report)),
                figure_time(time, quoit_bench_Report_seconds(report) * US_PER_SECOND),
                figure_count(rate, quoit_bench_Report_calls_per_second(report)));
        if (failed > 0)
                printf("  failed   %s, %s\n", figure_count(calls, failed),
                        figure_percent(share, failed, quoit_bench_Report_calls(report)));
        if (quoit_bench_Report_interrupted(report))
                printf("  ended    by a signal, before its time\n");
}

/* Of calls that have one message each way, their number says nothing new. */
static void print_messages(const quoit_bench_Report *report)
{
        char requests[FIGURE_BYTES], replies[FIGURE_BYTES], out[FIGURE_BYTES], in[FIGURE_BYTES];
        double seconds = quoit_bench_Report_seconds(report);

        printf("  sent     %s messages, %s\n",
                figure_count(requests, quoit_bench_Report_requests(report)),
                figure_bytes(out, quoit_bench_Report_request_bytes(report)));
        printf("  received %s messages, %s",
                figure_count(replies, quoit_bench_Report_replies(report)),
                figure_bytes(in, quoit_bench_Report_reply_bytes(report)));
        if (seconds > 0)
                printf(", %s/s",
                        figure_bytes(in, quoit_bench_Report_reply_bytes(report) / seconds));
        putchar('\n');
}

static void print_latency(const char *name, const quoit_bench_Latency *latency)
{
        const struct {
                const char *name;
                double us;
        } lines[] = {
                { "mean", quoit_bench_Latency_mean(latency) },
                { "p50", quoit_bench_Latency_p50(latency) },
                { "p90", quoit_bench_Latency_p90(latency) },
                { "p99", quoit_bench_Latency_p99(latency) },
                { "p99.9", quoit_bench_Latency_p999(latency) },
                { "p99.99", quoit_bench_Latency_p9999(latency) },
                { "max", quoit_bench_Latency_max(latency) },
        };
        char text[FIGURE_BYTES];

        if (quoit_bench_Latency_calls(latency) == 0)
                return;
        printf("\n%s\n", name);
        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
                printf("  %-8s %s\n", lines[i].name, figure_time(text, lines[i].us));
}

static void print_statuses(const quoit_bench_Report *report)
{
        char calls[FIGURE_BYTES];
        size_t count;
        const quoit_bench_Status *const *statuses = quoit_bench_Report_statuses(report, &count);

        if (quoit_bench_Report_failed(report) == 0)
                return;
        puts("\nstatuses");
        for (size_t i = 0; i < count; i++) {
                upb_StringView message = quoit_bench_Status_message(statuses[i]);

                printf("  ");
                print_view(quoit_bench_Status_status(statuses[i]));
                printf("  %s", figure_count(calls, quoit_bench_Status_calls(statuses[i])));
                if (message.size > 0) {
                        printf("  ");
                        print_view(message);
                }
                putchar('\n');
        }
}

void report_print_text(const quoit_bench_Report *report)
{
        print_settings(report);
        putchar('\n');
        print_counts(report);
        print_messages(report);
        print_latency("latency", quoit_bench_Report_latency_us(report));
        print_latency("latency of failed calls", quoit_bench_Report_failed_latency_us(report));
        print_statuses(report);
}
