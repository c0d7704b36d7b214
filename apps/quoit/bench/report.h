/* SPDX-License-Identifier: MIT */
#pragma once

/* What a run came to, as one message: all forms of the report are made of it. In JSON it is read again, to compare it with another. */

#include <stdbool.h>

#include <quoit/schema.h>

#include "internal/bench_report.quoit.h"

struct plan;
struct run_result;

/* What the report says about the run beside its plan. */
struct report_origin {
        const char *target; /* as it was given */
        const char *method; /* "pkg.Service/Method" */
        const char *rate; /* NULL: closed loop */
        bool is_tls;
        double began; /* seconds since 1970 */
};

/* In @arena, with strings of @origin's. NULL: out of memory. */
quoit_bench_Report *report_make(const struct report_origin *origin, const struct plan *plan,
        const struct run_result *result, upb_Arena *arena);

/* As JSON, on one line. 0, or a negative errno and *@ret_problem. */
int report_print_json(const quoit_bench_Report *report, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem);

int report_comparison_json(const quoit_bench_Comparison *comparison, upb_Arena *arena,
        upb_StringView *ret_text, quoit_problem *ret_problem);

/* Of JSON. 0; or a negative errno and *@ret_problem: it is not such a report. */
int report_parse_json(upb_StringView text, upb_Arena *arena, quoit_bench_Report **ret_report,
        quoit_problem *ret_problem);

/* For people, on stdout. */
void report_print_text(const quoit_bench_Report *report);

/* The timeline, as comma-separated values, on stdout. */
void report_print_csv(const quoit_bench_Report *report);

/* A page with plots, that needs nothing from elsewhere. 0, or a negative errno. */
int report_write_html(const quoit_bench_Report *report, const char *path);
