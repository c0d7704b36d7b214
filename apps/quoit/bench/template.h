/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A text with parts that differ from call to call:
 *
 *      {{seq}}         the call's number, from 0 on
 *      {{rand}}        a number by chance, from 0 to 2^31 - 1
 *      {{rand:A:B}}    one from A to B
 *      {{text:N}}      N letters and digits by chance
 *      {{uuid}}        a UUID by chance (RFC 9562, version 4)
 *      {{time}}        milliseconds since 1970
 *      {{NAME}}        the cell of that column of a table, in the call's row: row (seq modulo rows)
 *
 * Within a string of JSON, between quotes, cells are escaped as JSON wants it; elsewhere they are put in as they are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"
#include "table.h"

struct piece;

struct template
{
        const struct piece *pieces; /* @count of them */
        size_t count;
        const struct table *table; /* NULL: none */
        /* What its expansions depend on. */
        bool differs_by_row;
        bool differs_by_call; /* more than by the row */
};

/*
 * Finds the parts of @text, which must live as long as the template, in @arena. NULL; or what is wrong, a line in @arena: the names that
 * there are, and a hint.
 */
const char *template_parse(upb_StringView text, const struct table *table, upb_Arena *arena,
        struct template *ret_template);

/* What grows as needed, and stays for the next text. All zeros is empty. */
struct buffer {
        char *data;
        size_t size;
        size_t capacity;
};

void buffer_deinit(struct buffer *buffer);

/* What one call's text is made of. */
struct template_call {
        uint64_t seq;
        struct chance *chance;
};

/* The text of a call, in place of what @buffer has. False: out of memory. */
bool template_expand(
        const struct template *template, const struct template_call *call, struct buffer *buffer);
