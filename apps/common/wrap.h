/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

/* Prints @text in lines of at most 96 columns, each after @indent spaces, and ends the last one. The first line has @column already. */
void wrap_print(FILE *out, const char *text, size_t indent, size_t column);
