/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether @name cannot be a global identifier of a generated header: a keyword of C or C++, a name that its own headers or
 * other common headers define, or a parameter of generated functions.
 */
bool reserved_word(const char *name);

/* Whether @name cannot be a struct's member: a keyword, or a macro. A function's name can. */
bool reserved_member(const char *name);
