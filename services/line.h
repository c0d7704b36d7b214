/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Builds a line of a log without printf: a dozen fields for each call, as key=value or as a JSON object.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a dozen fields, four of which a peer has chosen, each of their bytes escaped. */
#define LINE_BYTES 8192
/* Text from a peer is cut to this. */
#define LINE_QUOTED_MAX 256

struct line {
        bool json;
        size_t size;
        char bytes[LINE_BYTES];
};

void line_begin(struct line *line, bool json);

/* Add a field @name with a value of ours: a number; a word that needs no escapes; the time in UTC. */
void line_add_number(struct line *line, const char *name, uint64_t value);
void line_add_word(struct line *line, const char *name, const char *word);
void line_add_time(struct line *line, const char *name, uint64_t unix_ms);

/* Adds text from a peer: cut and escaped. */
void line_add_quoted(struct line *line, const char *name, const char *text, size_t size);

/* Ends the line with a newline. */
void line_end(struct line *line);
