/* SPDX-License-Identifier: MIT */
#pragma once

/* A report on stdout. */

#include "../paint.h"
#include "report.h"

/* How lines are printed for people, as they are found: for report.user. */
struct lines {
        const struct paint *paint;
        unsigned columns; /* of the terminal: longer lines are wrapped; 0: they are not */
        const char *section; /* the last one */
};

/* For stdout. */
void lines_init(struct lines *ret_lines, bool is_plain);

/* report.on_finding. */
void lines_print(const struct finding *finding, void *lines);

/* The last line: how many checks, and how many are not well. */
void lines_print_sum(const struct lines *lines, const struct report *report);

/* All of it as JSON (docs/quoit.md has its members). @target may be NULL. */
void findings_print_json(const struct report *report, const char *target);
