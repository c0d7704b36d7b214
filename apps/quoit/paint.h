/* SPDX-License-Identifier: MIT */
#pragma once

/* Colours, by escape sequences of ECMA-48: on a terminal only, and none where the user wants none. */

#include <stdbool.h>

/* What to print before each kind of text, and @end behind it. All are "" without colours. */
struct paint {
        const char *key; /* the name of a member of JSON, of a header */
        const char *string;
        const char *number;
        const char *word; /* true, null; a keyword */
        const char *good;
        const char *warning;
        const char *bad;
        const char *dim; /* what is less important */
        const char *bold;
        const char *end;
};

/*
 * For what is written to @fd. Without colours: it is no terminal, @is_off, NO_COLOR is set and not empty (no-color.org), or TERM is "dumb"
 * or missing. Static.
 */
const struct paint *paint_for(int fd, bool is_off);
