/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether @name cannot be a global identifier of a generated header: a keyword of C or C++, what the headers that come with it
 * or that its user commonly includes define, or a parameter of generated functions.
 */
bool reserved_word(const char *name);

/* Whether @name cannot be a struct's member: a keyword, or a macro. A function's name can. */
bool reserved_member(const char *name);
