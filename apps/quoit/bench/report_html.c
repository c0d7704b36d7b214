/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "plot.h"
#include "report.h"

#define US_PER_SECOND 1e6

/* No script, and nothing from elsewhere: the policy of the page says so too. */
static const char head[] =
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<title>quoit bench</title>\n<style>\n"
        ":root{color-scheme:light "
        "dark;--ink:#1b1f24;--dim:#6a737d;--grid:#e1e4e8;--a:#0b6bcb;--b:#c9710a;--c:#c5283d}\n"
        "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--dim:#9aa0a6;--grid:#33373b;--a:#"
        "6cb2ff;--b:#f0a050;--c:#ff7b88}}\n"
        "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);max-width:800px;margin:2rem "
        "auto;padding:0 1rem}\n"
        "h1{font-size:1.3rem;overflow-wrap:anywhere}svg{width:100%;height:auto;margin:1rem 0}\n"
        "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.15rem 1.2rem .15rem "
        "0;text-align:left;vertical-align:top;overflow-wrap:anywhere}\n"
        "td.n{text-align:right;font-variant-numeric:tabular-nums}p,.axis{color:var(--dim)}\n"
        "text{font:12px "
        "system-ui,sans-serif;fill:var(--dim)}.title{fill:var(--ink);font-weight:600}\n"
        ".grid{stroke:var(--grid)}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}\n"
        "path.a{stroke:var(--a)}path.b{stroke:var(--b)}path.c{stroke:var(--c)}path.d{stroke:var(--"
        "dim);stroke-dasharray:4 3}\n"
        "text.a{fill:var(--a)}text.b{fill:var(--b)}text.c{fill:var(--c)}\n"
        "</style>\n</head>\n<body>\n";

/* ---- texts ---- */

/* What came from a server or a command line is never markup, nor a control character. */
static void put_view(FILE *file, upb_StringView text)
{
        for (size_t i = 0; i < text.size; i++) {
                unsigned char c = (unsigned char)text.data[i];

                if (c < 0x20 || c == 0x7f)
                        fputc('?', file);
                else if (strchr("<>&'\"", c))
                        fprintf(file, "&#%d;", c);
                else
                        fputc(c, file);
        }
}

static void put_row(FILE *file, const char *name, const char *value)
{
        fprintf(file, "<tr><th>%s</th><td class='n'>%s</td></tr>\n", name, value);
}

static void put_summary(FILE *file, const quoit_bench_Report *report)
{
        const quoit_bench_Settings *settings = quoit_bench_Report_settings(report);
        char text[FIGURE_BYTES];

        fputs("<h1>", file);
        put_view(file, quoit_bench_Report_method(report));
        fputs("</h1>\n<p>", file);
        put_view(file, quoit_bench_Report_target(report));
        fputs(", ", file);
        put_view(file, quoit_bench_Report_began(report));
        fputs(", quoit ", file);
        put_view(file, quoit_bench_Report_version(report));
        if (quoit_bench_Report_interrupted(report))
                fputs(", ended by a signal before its time", file);
        fputs("</p>\n<table>\n", file);
        put_row(file, "connections",
                figure_count(text, quoit_bench_Settings_connections(settings)));
        put_row(file, "calls at a time",
                figure_count(text, quoit_bench_Settings_concurrency(settings)));
        if (quoit_bench_Settings_rate(settings).size > 0) {
                fputs("<tr><th>rate, calls/s</th><td class='n'>", file);
                put_view(file, quoit_bench_Settings_rate(settings));
                fputs(quoit_bench_Settings_poisson(settings) ? " by chance</td></tr>\n"
                                                             : "</td></tr>\n",
                        file);
        }
        put_row(file, "time",
                figure_time(text, quoit_bench_Report_seconds(report) * US_PER_SECOND));
        put_row(file, "calls", figure_count(text, quoit_bench_Report_calls(report)));
        put_row(file, "failed",
                figure_percent(
                        text, quoit_bench_Report_failed(report), quoit_bench_Report_calls(report)));
        put_row(file, "calls/s", figure_count(text, quoit_bench_Report_calls_per_second(report)));
        put_row(file, "bytes sent", figure_bytes(text, quoit_bench_Report_request_bytes(report)));
        put_row(file, "bytes received", figure_bytes(text, quoit_bench_Report_reply_bytes(report)));
        fputs("</table>\n", file);
}

static void put_latency(FILE *file, const quoit_bench_Latency *latency)
{
        char text[FIGURE_BYTES];

        fputs("<table>\n<tr><th>latency</th></tr>\n", file);
        put_row(file, "mean", figure_time(text, quoit_bench_Latency_mean(latency)));
        put_row(file, "standard deviation",
                figure_time(text, quoit_bench_Latency_deviation(latency)));
        put_row(file, "p50", figure_time(text, quoit_bench_Latency_p50(latency)));
        put_row(file, "p90", figure_time(text, quoit_bench_Latency_p90(latency)));
        put_row(file, "p99", figure_time(text, quoit_bench_Latency_p99(latency)));
        put_row(file, "p99.9", figure_time(text, quoit_bench_Latency_p999(latency)));
        put_row(file, "p99.99", figure_time(text, quoit_bench_Latency_p9999(latency)));
        put_row(file, "max", figure_time(text, quoit_bench_Latency_max(latency)));
        fputs("</table>\n", file);
}

static void put_statuses(FILE *file, const quoit_bench_Report *report)
{
        size_t count;
        const quoit_bench_Status *const *statuses = quoit_bench_Report_statuses(report, &count);
        char text[FIGURE_BYTES];

        fputs("<table>\n<tr><th>status</th><th>calls</th><th>the first one's message</th></tr>\n",
                file);
        for (size_t i = 0; i < count; i++) {
                fputs("<tr><td>", file);
                put_view(file, quoit_bench_Status_status(statuses[i]));
                fprintf(file, "</td><td class='n'>%s</td><td>",
                        figure_count(text, quoit_bench_Status_calls(statuses[i])));
                put_view(file, quoit_bench_Status_message(statuses[i]));
                fputs("</td></tr>\n", file);
        }
        fputs("</table>\n", file);
}

/* ---- plots ---- */

/* Columns of the timeline. */
struct columns {
        size_t count;
        double *second, *ok, *failed, *rate, *p50, *p99, *max; /* of one allocation */
};
#define COLUMNS 7

static bool columns_init(struct columns *columns, const quoit_bench_Report *report)
{
        size_t count;
        const quoit_bench_Interval *const *timeline = quoit_bench_Report_timeline(report, &count);
        double *all = calloc(COLUMNS * (count + 1), sizeof(*all));

        *columns = (struct columns){ count, all, all + count, all + 2 * count, all + 3 * count,
                all + 4 * count, all + 5 * count, all + 6 * count };
        for (size_t i = 0; all && i < count; i++) {
                const quoit_bench_Interval *interval = timeline[i];
                double seconds = quoit_bench_Interval_seconds(interval);

                columns->second[i] = quoit_bench_Interval_second(interval) + seconds / 2;
                columns->ok[i] = quoit_bench_Interval_ok(interval) / seconds;
                columns->failed[i] = quoit_bench_Interval_failed(interval) / seconds;
                columns->rate[i] = quoit_bench_Interval_rate(interval);
                columns->p50[i] = quoit_bench_Interval_p50_us(interval);
                columns->p99[i] = quoit_bench_Interval_p99_us(interval);
                columns->max[i] = quoit_bench_Interval_max_us(interval);
        }
        return all != NULL;
}

static const char *print_seconds(char text[FIGURE_BYTES], double seconds)
{
        return figure_time(text, seconds * US_PER_SECOND);
}

static void plot_timeline(
        FILE *file, const quoit_bench_Report *report, const struct columns *columns)
{
        bool is_open = quoit_bench_Settings_rate(quoit_bench_Report_settings(report)).size > 0;
        const struct plot_line rates[] = {
                { "OK", "a", columns->second, columns->ok, columns->count },
                { "failed", "c", columns->second, columns->failed, columns->count },
                { "due", "d", columns->second, columns->rate, columns->count },
        };
        const struct plot_line latencies[] = {
                { "p50", "a", columns->second, columns->p50, columns->count },
                { "p99", "b", columns->second, columns->p99, columns->count },
                { "max", "c", columns->second, columns->max, columns->count },
        };

        plot_print(file, &(struct plot){ .title = "Calls a second",
                                 .x.print = print_seconds,
                                 .y.print = figure_count,
                                 .lines = rates,
                                 .count = is_open ? 3 : 2 });
        plot_print(file, &(struct plot){ .title = "Latency over time",
                                 .x.print = print_seconds,
                                 .y.print = figure_time,
                                 .y.is_log = true,
                                 .lines = latencies,
                                 .count = 3 });
}

/* The axis has as much room for 99 to 99.9 % as for 90 to 99 %. */
static bool plot_percentiles(FILE *file, const quoit_bench_Latency *latency)
{
        size_t count;
        const quoit_bench_Point *const *points = quoit_bench_Latency_points(latency, &count);
        double *x = calloc(2 * count + 1, sizeof(*x)), *y = x + count;

        if (!x)
                return false;
        for (size_t i = 0; i < count; i++) {
                double percent = quoit_bench_Point_percent(points[i]);

                /* the last one has no place: it stands half a call before the end */
                if (i + 1 == count)
                        percent = 100 - 50 / quoit_bench_Latency_calls(latency);
                x[i] = -log10(1 - percent / 100);
                y[i] = quoit_bench_Point_us(points[i]);
        }
        plot_print(file, &(struct plot){ .title = "Latency by percentile",
                                 .x.print = plot_print_nines,
                                 .y.print = figure_time,
                                 .y.is_log = true,
                                 .lines = &(struct plot_line){ "latency", "a", x, y, count },
                                 .count = 1 });
        free(x);
        return true;
}

/* ---- the page ---- */

static bool put_page(FILE *file, const quoit_bench_Report *report)
{
        const quoit_bench_Latency *latency = quoit_bench_Report_latency_us(report);
        struct columns columns;
        bool is_whole;

        if (!columns_init(&columns, report))
                return false;
        fputs(head, file);
        put_summary(file, report);
        plot_timeline(file, report, &columns);
        is_whole = plot_percentiles(file, latency);
        put_latency(file, latency);
        put_statuses(file, report);
        fputs("</body>\n</html>\n", file);
        free(columns.second);
        return is_whole;
}

int report_write_html(const quoit_bench_Report *report, const char *path)
{
        FILE *file = fopen(path, "we");
        int r = 0;

        if (!file)
                return -errno;
        if (!put_page(file, report))
                r = -ENOMEM;
        else if (fflush(file) != 0 || ferror(file))
                r = -errno;
        if (fclose(file) != 0 && r == 0)
                r = -errno;
        return r;
}
