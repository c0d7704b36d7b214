/* SPDX-License-Identifier: MIT */
#pragma once

/* One line of a log, as text or as a JSON object, made of pieces: so it is copied once, to where it waits to be written. */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/log.h>

#include "services/time_text.h"

struct log_line_style {
        const char *name; /* the program's; NULL: none */
        bool is_journal; /* text begins with its priority */
        bool tells_time; /* text begins with the time, but not in the journal */
        bool is_json;
};

/* What a line is: a level, or one that names none as text. */
struct log_line_kind {
        const char *priority; /* by syslog(3)'s numbers, as sd-daemon(3) has them */
        const char *level;
        bool is_named; /* as text too */
};

extern const struct log_line_kind log_line_plain; /* as JSON it is an "info" */
extern const struct log_line_kind log_line_kinds[]; /* by quoit_log_level */

enum log_line_copy {
        LOG_LINE_PLAIN, /* as it is */
        LOG_LINE_MASKED, /* a control character becomes '?' */
        LOG_LINE_ESCAPED, /* as within a string of JSON */
};

struct log_line_piece {
        const char *text;
        size_t size;
        enum log_line_copy copy;
};

#define LOG_LINE_PIECES_MAX 9

/* It points into itself: it must not be copied. */
struct log_line {
        struct log_line_piece pieces[LOG_LINE_PIECES_MAX];
        unsigned count;
        char time[TIME_TEXT_BYTES];
};

/* A line that says @text. @style's name and @text must stay until it is written. */
void log_line_make(struct log_line *line, const struct log_line_style *style,
        const struct log_line_kind *kind, const char *text);

/* A line of @size bytes that stays as it is, its newline included. */
void log_line_take(struct log_line *line, const char *text, size_t size);

/* What it takes when it is written. */
size_t log_line_size(const struct log_line *line);

/* Writes it, with a newline and without a zero, to @to. */
void log_line_write(const struct log_line *line, char *to);
