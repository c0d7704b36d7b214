/* SPDX-License-Identifier: MIT */
#pragma once

/* Text of unknown origin in a .proto file. */

#include <stdbool.h>
#include <stdio.h>

#include <quoit/upb.h>

/*
 * How many bytes the first character of the @size > 0 bytes at @data has. Not printable are control characters, marks that change the
 * direction of writing, and bytes that are not UTF-8, each of which counts as a character.
 */
size_t literal_char(const char *data, size_t size, bool *ret_printable);

/* @text in quotes, with escapes for all that is not printable. */
void literal_print(FILE *out, upb_StringView text);

/* The same of a @text that has escapes already, as the default of a field of bytes. */
void literal_print_escaped(FILE *out, upb_StringView text);
