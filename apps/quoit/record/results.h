/* SPDX-License-Identifier: MIT */
#pragma once

/* What a replay says on stdout: a line for each difference, as it is found, and a summary. Or one JSON document: docs/quoit.md. */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/status.h>

#include "tape.h"

#define RESULTS_STATUSES 17 /* of gRPC */

struct results {
        bool is_json;
        bool compares;
        size_t differences; /* so far */
        size_t calls, agreed; /* that were made, and that had no difference */
        size_t statuses[RESULTS_STATUSES]; /* how many calls ended so */
};

/* Where two answers differ. */
struct difference {
        const struct tape_call *call;
        const char *
                what; /* "status", "status message", "status details", "replies" (how many there are) or "reply" */
        size_t reply; /* of "reply": which, from 1 on */
        const char *field; /* of "reply": its path; NULL: it was compared as bytes */
        const char *was, *is; /* as JSON has values, or words */
};

void results_begin(const struct results *results, const char *target);
void results_add(struct results *results, const struct difference *difference);

/* A call is over, and had so many differences. */
void results_count(struct results *results, quoit_status status, size_t differences);

/* @left_out: calls of the file that were not made; @seconds: how long it took. */
void results_end(const struct results *results, size_t left_out, double seconds);
