/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES 160

/* A copy of the text, in which quoted cells lose their quotes in place, and the cells so far. */
struct reader {
        char *at;
        char *end;
        upb_Arena *arena;
        upb_StringView *cells;
        size_t count;
        size_t capacity;
        size_t line; /* from 1 */
        const char *problem;
};

static bool fail(struct reader *reader, const char *what)
{
        char *problem = upb_Arena_Malloc(reader->arena, PROBLEM_BYTES);

        if (problem)
                snprintf(problem, PROBLEM_BYTES, "line %zu: %s", reader->line, what);
        reader->problem = problem ? problem : "out of memory";
        return false;
}

static bool add_cell(struct reader *reader, const char *text, size_t size)
{
        size_t bytes = reader->capacity * sizeof(*reader->cells);

        if (reader->count == reader->capacity) {
                upb_StringView *cells = upb_Arena_Realloc(
                        reader->arena, reader->cells, bytes, 2 * bytes + sizeof(*cells));

                if (!cells)
                        return fail(reader, "out of memory");
                reader->cells = cells;
                reader->capacity = 2 * reader->capacity + 1;
        }
        reader->cells[reader->count++] = upb_StringView_FromDataAndSize(text, size);
        return true;
}

/* Behind the first quote, up to behind the one that ends it. Two quotes stand for one. */
static bool read_quoted(struct reader *reader)
{
        char *text = reader->at, *to = text;
        size_t first_line = reader->line;

        while (reader->at < reader->end) {
                char c = *reader->at++;
                bool twice = c == '"' && reader->at < reader->end && *reader->at == '"';

                if (c == '"' && !twice)
                        return add_cell(reader, text, (size_t)(to - text));
                reader->at += twice;
                reader->line += c == '\n';
                *to++ = c;
        }
        reader->line = first_line;
        return fail(reader, "a quote has no end");
}

static bool read_plain(struct reader *reader)
{
        char *text = reader->at;

        while (reader->at < reader->end && !memchr(",\r\n", *reader->at, 3))
                reader->at++;
        return add_cell(reader, text, (size_t)(reader->at - text));
}

/* One line, with its end. */
static bool read_row(struct reader *reader)
{
        do {
                bool is_quoted = reader->at < reader->end && *reader->at == '"';

                reader->at += is_quoted;
                if (!(is_quoted ? read_quoted(reader) : read_plain(reader)))
                        return false;
        } while (reader->at < reader->end && *reader->at == ',' && reader->at++);
        if (reader->end - reader->at >= 2 && reader->at[0] == '\r' && reader->at[1] == '\n')
                reader->at++;
        if (reader->at < reader->end && *reader->at++ != '\n')
                return fail(reader, "something follows a quote");
        return true;
}

static bool read_rows(struct reader *reader, size_t columns)
{
        while (reader->at < reader->end) {
                size_t before = reader->count;

                reader->line++;
                if (!read_row(reader))
                        return false;
                if (reader->count - before != columns)
                        return fail(reader, "it has not as many cells as the first line");
        }
        return true;
}

const char *table_parse(upb_StringView text, upb_Arena *arena, struct table *ret_table)
{
        char *copy = upb_Arena_Malloc(arena, text.size + 1);
        struct reader reader = { .at = copy, .arena = arena, .line = 1 };
        size_t columns;

        if (!copy)
                return "out of memory";
        if (text.size > 0)
                memcpy(copy, text.data, text.size);
        reader.end = copy + text.size;
        if (!read_row(&reader))
                return reader.problem;
        columns = reader.count;
        if (!read_rows(&reader, columns))
                return reader.problem;
        if (reader.count == columns)
                return "it has no rows: the first line has the columns' names, each further one is "
                       "a row";
        *ret_table = (struct table){
                .names = reader.cells,
                .column_count = columns,
                .cells = reader.cells + columns,
                .row_count = reader.count / columns - 1,
        };
        return NULL;
}
