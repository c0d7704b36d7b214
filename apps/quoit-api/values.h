/* SPDX-License-Identifier: MIT */
#pragma once

/* What options take. Each says what is wrong with @text, the value of @what, and ends the program, where it is no such value. */

#include <stdint.h>

unsigned value_number(const char *what, const char *text, unsigned min, unsigned max);

/* In ms, from @min; "never" is UINT32_MAX, which no number is. */
unsigned value_time(const char *what, const char *text, unsigned min);

/* In bytes. False, and nothing is said: it is none from @min to @max. */
_Bool value_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes);
