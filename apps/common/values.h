/* SPDX-License-Identifier: MIT */
#pragma once

/* Values of options. If @text, the value of the option @what, is wrong, these functions say so and end the program. */

#include <stdint.h>

/* From @min to @max. */
unsigned value_number(const char *what, const char *text, unsigned min, unsigned max);

/* In ms, from @min; "never" is UINT32_MAX, which cannot be given as a number. */
unsigned value_time(const char *what, const char *text, unsigned min);

/* In bytes. Does not end the program: false if @text is not a size from @min to @max. */
_Bool value_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes);

/* "true" or "false". */
_Bool value_bool(const char *what, const char *text);

/*
 * Of an option of getopt_long() with an optional value, right behind getopt_long(): without one it is true, and "--name true" is the
 * same as "--name=true", as with grpc's own programs.
 */
_Bool value_flag(const char *what, int argc, char **argv);
