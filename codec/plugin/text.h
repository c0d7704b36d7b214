/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/plugin/memory.h"

/*
 * Text of unknown origin: which parts can be printed into C, where a compiler reads it and warns, and into errors, which a
 * person reads.
 */

/*
 * How many bytes the first character of the @size > 0 bytes at @data has. Not printable are control characters, marks
 * that break lines or change the direction of writing, and bytes that are not UTF-8, each of which counts as a character.
 */
size_t text_char(const char *data, size_t size, bool *ret_printable);

/*
 * The text on one line, for an error: unprintable bytes as \ooo, cut after @size_max bytes. text_line() has room for a name.
 */
char *text_cut(upb_Arena *arena, const char *data, size_t size, size_t size_max);
char *text_line(upb_Arena *arena, const char *data, size_t size);
