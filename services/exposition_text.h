/* SPDX-License-Identifier: MIT */
#pragma once

/* The syntax of Prometheus' text format 0.0.4 and of OpenMetrics 1.0, which differ in the names of counters and in the last line. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/exposition.h>

struct exposition_text {
        quoit_exposition_format format;
        char *bytes; /* heap */
        size_t size, capacity;
        bool is_short; /* of memory: what follows is dropped */
};

enum metric_type {
        METRIC_COUNTER,
        METRIC_GAUGE,
        METRIC_HISTOGRAM,
};

/* A metric, static. */
struct metric {
        const char *name; /* that of a counter without "_total", which samples get */
        enum metric_type type;
        const char *unit; /* the last part of the name, "seconds" or "bytes"; NULL: none */
        const char *help;
};

/* A label; a list of them ends with one whose name is NULL. */
struct label {
        const char *name;
        const char *value; /* any text */
};

/* Begins @metric: its samples follow, all together. */
void exposition_metric(struct exposition_text *text, const struct metric *metric);

/* A sample of a counter or gauge. @labels: NULL: none. */
void exposition_integer(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, uint64_t value);
void exposition_number(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, double value);

/* Those of a histogram; with its exemplars, which only OpenMetrics has. */
void exposition_histogram(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, const quoit_histogram *histogram);

/* The last line, if there is to be one. */
void exposition_end(struct exposition_text *text);
