/* SPDX-License-Identifier: MIT */
#pragma once

/* The name that somebody has probably meant: the one with the least edit distance. */

#include <stddef.h>

#define NEAREST_NAME_BYTES 256 /* longer names are not looked at */

struct nearest {
        const char *name; /* what was written */
        unsigned distance; /* of @best */
        char best[NEAREST_NAME_BYTES]; /* "": none is near */
};

/* Begins a search for @name, which must live as long as it. */
void nearest_init(struct nearest *nearest, const char *name);

/* One of the names that there are. */
void nearest_try(struct nearest *nearest, const char *candidate);

#define NEAREST_HINT_BYTES (NEAREST_NAME_BYTES + 32)

/* "; did you mean NAME?", or "" if no name is near. In @text, which it returns. */
const char *nearest_hint(const struct nearest *nearest, char text[NEAREST_HINT_BYTES]);
