/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>

#include "../file.h"
#include "../say.h"
#include "figures.h"
#include "report.h"

#define NAME_COLUMNS 10
#define COLUMNS 16

/* ---- figures of a report ---- */

static double failed_percent(const quoit_bench_Report *report)
{
        double calls = quoit_bench_Report_calls(report);

        return calls > 0 ? 100 * quoit_bench_Report_failed(report) / calls : 0;
}

static double cpu_us(const quoit_bench_Report *report)
{
        double calls = quoit_bench_Report_calls(report);

        return calls > 0 ? 1e6 * quoit_bench_Report_cpu_seconds(report) / calls : 0;
}

static const char *print_percent(char text[FIGURE_BYTES], double percent)
{
        return figure_percent(text, percent, 100);
}

/* Either of the report, or of its latencies. */
static const struct figure {
        const char *label;
        const char *name;
        double (*of_report)(const quoit_bench_Report *report);
        double (*of_latency)(const quoit_bench_Latency *latency);
        const char *(*print)(char text[FIGURE_BYTES], double value);
} figures[] = {
        { "calls/s", "calls_per_second", quoit_bench_Report_calls_per_second, NULL, figure_count },
        { "failed", "failed_percent", failed_percent, NULL, print_percent },
        { "mean", "mean_us", NULL, quoit_bench_Latency_mean, figure_time },
        { "p50", "p50_us", NULL, quoit_bench_Latency_p50, figure_time },
        { "p90", "p90_us", NULL, quoit_bench_Latency_p90, figure_time },
        { "p99", "p99_us", NULL, quoit_bench_Latency_p99, figure_time },
        { "p99.9", "p999_us", NULL, quoit_bench_Latency_p999, figure_time },
        { "max", "max_us", NULL, quoit_bench_Latency_max, figure_time },
        { "own CPU", "cpu_us_per_call", cpu_us, NULL, figure_time },
};
#define FIGURES (sizeof(figures) / sizeof(*figures))

static double value_of(const struct figure *figure, const quoit_bench_Report *report)
{
        const quoit_bench_Latency *latency = quoit_bench_Report_latency_us(report);

        if (figure->of_report)
                return figure->of_report(report);
        return latency ? figure->of_latency(latency) : 0;
}

/* ---- two of them ---- */

static int read_report(const char *path, upb_Arena *arena, quoit_bench_Report **ret_report)
{
        quoit_problem problem;
        size_t size;
        char *text;
        int r;

        if (file_read(path, &text, &size) < 0)
                return say_failed("%s: %m", path);
        r = report_parse_json(
                upb_StringView_FromDataAndSize(text, size), arena, ret_report, &problem);
        free(text);
        if (r < 0)
                return say_failed(
                        "%s: it is no report of quoit bench --json: %s", path, problem.text);
        if (quoit_bench_Report_calls(*ret_report) == 0)
                return say_failed("%s: it has no calls", path);
        return EXIT_DONE;
}

/* Both columns, and what differs between the runs themselves. */
static void print_head(const char *label, upb_StringView a, upb_StringView b)
{
        if (upb_StringView_IsEqual(a, b))
                printf("%-*s %.*s\n", NAME_COLUMNS, label, (int)a.size, a.data);
        else
                printf("%-*s A %.*s, B %.*s\n", NAME_COLUMNS, label, (int)a.size, a.data,
                        (int)b.size, b.data);
}

/* To the right; a µ is two bytes and one column. */
static void print_right(const char *text)
{
        int columns = 0;

        for (const char *at = text; *at; at++)
                columns += (*at & 0xc0) != 0x80;
        printf("%*s%s", COLUMNS - columns, "", text);
}

static void print_text(const quoit_bench_Report *a, const quoit_bench_Report *b)
{
        print_head("method", quoit_bench_Report_method(a), quoit_bench_Report_method(b));
        print_head("target", quoit_bench_Report_target(a), quoit_bench_Report_target(b));
        printf("\n%-*s%*s%*s%*s\n", NAME_COLUMNS, "", COLUMNS, "A", COLUMNS, "B", COLUMNS, "B - A");
        for (size_t i = 0; i < FIGURES; i++) {
                double value_a = value_of(&figures[i], a), value_b = value_of(&figures[i], b);
                char text[FIGURE_BYTES] = "";

                printf("%-*s", NAME_COLUMNS, figures[i].label);
                print_right(figures[i].print(text, value_a));
                print_right(figures[i].print(text, value_b));
                text[0] = '\0';
                if (value_a > 0)
                        snprintf(text, sizeof(text), "%+.1f %%",
                                100 * (value_b - value_a) / value_a);
                print_right(text);
                putchar('\n');
        }
}

static int print_json(const quoit_bench_Report *a, const quoit_bench_Report *b, upb_Arena *arena)
{
        quoit_bench_Comparison *comparison = quoit_bench_Comparison_new(arena);
        quoit_problem problem = { "out of memory" };
        upb_StringView text;

        for (size_t i = 0; comparison && i < FIGURES; i++) {
                quoit_bench_Difference *difference =
                        quoit_bench_Comparison_add_differences(comparison, arena);
                double value_a = value_of(&figures[i], a), value_b = value_of(&figures[i], b);

                if (!difference)
                        return say_failed("out of memory");
                quoit_bench_Difference_set_name(
                        difference, upb_StringView_FromString(figures[i].name));
                quoit_bench_Difference_set_a(difference, value_a);
                quoit_bench_Difference_set_b(difference, value_b);
                if (value_a > 0)
                        quoit_bench_Difference_set_percent(
                                difference, 100 * (value_b - value_a) / value_a);
        }
        if (!comparison || report_comparison_json(comparison, arena, &text, &problem) < 0)
                return say_failed("%s", problem.text);
        puts(text.data);
        return EXIT_DONE;
}

int compare_reports(const char *path_a, const char *path_b, bool as_json, upb_Arena *arena)
{
        quoit_bench_Report *a, *b;
        int status = read_report(path_a, arena, &a);

        if (status == EXIT_DONE)
                status = read_report(path_b, arena, &b);
        if (status != EXIT_DONE)
                return status;
        if (as_json)
                return print_json(a, b, arena);
        print_text(a, b);
        return EXIT_DONE;
}
