/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finds where one JSON value ends and the next begins: values follow one another with or without white space (and RFC 7464's separator)
 * between them. What a value is worth is for its parser to say. Pure; each byte is looked at once.
 */

#include <stdbool.h>
#include <stddef.h>

/* All zeros to begin with, and for each value. */
struct json_split {
        size_t at;    /* how far it has been looked */
        size_t depth; /* of brackets and braces */
        bool has_begun;
        bool is_scalar; /* a number or a word, which ends where something else begins */
        bool is_string; /* in one */
        bool is_escaped;
};

/*
 * Looks for the end of the value that begins in @text, of which @size bytes have come so far; @is_all: no more will. True: it is the first
 * *@ret_size bytes. False: there is none yet, or, with @is_all, none at all but white space.
 */
bool json_split_next(
        struct json_split *split, const char *text, size_t size, bool is_all, size_t *ret_size);

/* Whether something other than white space has come. */
bool json_split_has_begun(const struct json_split *split);
