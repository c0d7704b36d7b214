/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether these bytes are UTF-8. ASCII is skipped many bytes at a time. */
bool utf8_is_valid(const char *data, size_t size);

/* At most so many bytes become of each. */
#define UTF8_REPAIR_GROWTH 3

/* Writes @data with U+FFFD in place of each run of bytes that are not UTF-8. Returns how many bytes of @out that takes. */
size_t utf8_repair(char *out, const char *data, size_t size);
