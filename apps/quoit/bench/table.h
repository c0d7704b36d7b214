/* SPDX-License-Identifier: MIT */
#pragma once

/* A file of comma-separated values (RFC 4180): the names of its columns, then a row a line. */

#include <stddef.h>

#include "upb/base/string_view.h"
#include "upb/mem/arena.h"

struct table {
        const upb_StringView *names; /* @column_count of them */
        size_t column_count;
        const upb_StringView *cells; /* row by row */
        size_t row_count;            /* without the names */
};

/* All of it is in @arena. NULL; or what is wrong, a line in @arena, with the line's number. */
const char *table_parse(upb_StringView text, upb_Arena *arena, struct table *ret_table);

static inline upb_StringView table_cell(const struct table *table, size_t row, size_t column)
{
        return table->cells[row * table->column_count + column];
}
