/* SPDX-License-Identifier: MIT */
#include "services/exposition_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_FIRST 16384
#define NUMBER_BYTES 40
#define UNIX_MS_DIGITS 13 /* of seconds since 1970, to the millisecond */

/* ---- bytes ---- */

static bool make_room(struct exposition_text *text, size_t size)
{
        size_t capacity = text->capacity ? text->capacity : BYTES_FIRST;
        char *bytes;

        if (text->is_short)
                return false;
        if (text->capacity - text->size >= size)
                return true;
        while (capacity - text->size < size)
                capacity *= 2;
        bytes = realloc(text->bytes, capacity);
        text->is_short = !bytes;
        if (!bytes)
                return false;
        text->bytes = bytes;
        text->capacity = capacity;
        return true;
}

static void add_bytes(struct exposition_text *text, const char *bytes, size_t size)
{
        if (!make_room(text, size))
                return;
        memcpy(text->bytes + text->size, bytes, size);
        text->size += size;
}

static void add(struct exposition_text *text, const char *string)
{
        add_bytes(text, string, strlen(string));
}

static void add_integer(struct exposition_text *text, uint64_t value)
{
        char number[NUMBER_BYTES];

        add_bytes(text, number, (size_t)snprintf(number, sizeof(number), "%" PRIu64, value));
}

/* printf's decimal point is that of the program's locale, and may be some bytes: they become a '.'. */
static void set_point(char *number)
{
        size_t plain = strspn(number, "+-0123456789einfa");
        size_t point = strcspn(number + plain, "+-0123456789einfa");

        if (point == 0)
                return;
        number[plain] = '.';
        memmove(number + plain + 1, number + plain + point, strlen(number + plain + point) + 1);
}

/* OpenMetrics has whole numbers as "1.0" where a number need not be whole. */
static void add_number(struct exposition_text *text, double value, int digits)
{
        char number[NUMBER_BYTES];

        snprintf(number, sizeof(number), "%.*g", digits, value);
        set_point(number);
        add(text, number);
        if (!strpbrk(number, ".en"))
                add(text, ".0");
}

/* ---- lines ---- */

static bool is_openmetrics(const struct exposition_text *text)
{
        return text->format == QUOIT_EXPOSITION_OPENMETRICS;
}

/* "# KEY NAME REST" */
static void add_about(struct exposition_text *text, const char *key, const struct metric *metric,
        const char *rest)
{
        add(text, "# ");
        add(text, key);
        add(text, " ");
        add(text, metric->name);
        if (metric->type == METRIC_COUNTER && !is_openmetrics(text))
                add(text, "_total");
        add(text, " ");
        add(text, rest);
        add(text, "\n");
}

void exposition_metric(struct exposition_text *text, const struct metric *metric)
{
        static const char *const types[] = {
                [METRIC_COUNTER] = "counter",
                [METRIC_GAUGE] = "gauge",
                [METRIC_HISTOGRAM] = "histogram",
        };

        add_about(text, "HELP", metric, metric->help);
        add_about(text, "TYPE", metric, types[metric->type]);
        if (metric->unit && is_openmetrics(text))
                add_about(text, "UNIT", metric, metric->unit);
}

/* Both formats escape these three in a label's value. */
static void add_escaped(struct exposition_text *text, const char *value)
{
        while (*value) {
                size_t plain = strcspn(value, "\\\"\n");

                add_bytes(text, value, plain);
                value += plain;
                if (*value)
                        add(text, *value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\");
                value += *value != '\0';
        }
}

static void add_label(struct exposition_text *text, const char *name, bool is_first)
{
        add(text, is_first ? "{" : ",");
        add(text, name);
        add(text, "=\"");
}

/* True: the brace is open. */
static bool add_labels(struct exposition_text *text, const struct label *labels)
{
        bool any = false;

        for (; labels && labels->name; labels++, any = true) {
                add_label(text, labels->name, !any);
                add_escaped(text, labels->value);
                add(text, "\"");
        }
        return any;
}

/* Up to the value. */
static void begin_sample(struct exposition_text *text, const struct metric *metric,
        const char *suffix, const struct label *labels)
{
        add(text, metric->name);
        add(text, suffix);
        add(text, add_labels(text, labels) ? "} " : " ");
}

static const char *suffix_of(const struct metric *metric)
{
        return metric->type == METRIC_COUNTER ? "_total" : "";
}

void exposition_integer(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, uint64_t value)
{
        begin_sample(text, metric, suffix_of(metric), labels);
        add_integer(text, value);
        add(text, "\n");
}

void exposition_number(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, double value)
{
        begin_sample(text, metric, suffix_of(metric), labels);
        add_number(text, value, 17);
        add(text, "\n");
}

/* ---- histograms ---- */

/* Fifteen digits show each bound as it was written in the source. */
static void add_bound(struct exposition_text *text, const quoit_histogram *histogram, size_t i)
{
        if (i == histogram->bound_count)
                add(text, "+Inf");
        else
                add_number(text, histogram->bounds[i], 15);
}

static void add_hex(struct exposition_text *text, const uint8_t *bytes, size_t size)
{
        char digits[3];

        for (size_t i = 0; i < size; i++) {
                snprintf(digits, sizeof(digits), "%02x", bytes[i]);
                add_bytes(text, digits, 2);
        }
}

/* Behind a bucket's count. */
static void add_exemplar(struct exposition_text *text, const quoit_exemplar *exemplar)
{
        static const uint8_t none[sizeof(exemplar->trace_id)];

        if (memcmp(exemplar->trace_id, none, sizeof(none)) == 0)
                return;
        add(text, " # {trace_id=\"");
        add_hex(text, exemplar->trace_id, sizeof(exemplar->trace_id));
        add(text, "\",span_id=\"");
        add_hex(text, exemplar->span_id, sizeof(exemplar->span_id));
        add(text, "\"} ");
        add_number(text, exemplar->value, 17);
        add(text, " ");
        add_number(text, exemplar->unix_s, UNIX_MS_DIGITS);
}

void exposition_histogram(struct exposition_text *text, const struct metric *metric,
        const struct label *labels, const quoit_histogram *histogram)
{
        uint64_t count = 0;

        for (size_t i = 0; i <= histogram->bound_count; i++) {
                count += histogram->counts[i];
                add(text, metric->name);
                add(text, "_bucket");
                add_label(text, "le", !add_labels(text, labels));
                add_bound(text, histogram, i);
                add(text, "\"} ");
                add_integer(text, count);
                if (histogram->exemplars && is_openmetrics(text))
                        add_exemplar(text, &histogram->exemplars[i]);
                add(text, "\n");
        }
        begin_sample(text, metric, "_sum", labels);
        add_number(text, histogram->sum, 17);
        add(text, "\n");
        begin_sample(text, metric, "_count", labels);
        add_integer(text, count);
        add(text, "\n");
}

void exposition_end(struct exposition_text *text)
{
        if (is_openmetrics(text))
                add(text, "# EOF\n");
}
