/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A list of strings; all zeros is an empty one. */
struct strings {
        const char **at;
        size_t count;
};

/* Adds @text itself, not a copy. -ENOMEM. */
int strings_add(struct strings *strings, const char *text);

/* Frees the list, not what is in it. */
void strings_deinit(struct strings *strings);
