/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether @name cannot be a global identifier of a generated header: a keyword of C or C++, a macro
 * or a function of the standard headers that come with it, or a parameter of generated functions.
 */
bool reserved_word(const char *name);
