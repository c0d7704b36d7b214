/* SPDX-License-Identifier: MIT */
#pragma once

/* What peers send may be any bytes, and lines of the log are text. */

#include <stddef.h>

/* For @size bytes, and the end. */
#define ESCAPED_BYTES_MAX(size) (4 * (size) + 1)

/* Writes @size bytes of @data as text: \xNN for what is not printable ASCII, and for what would be taken for that. */
void escape(char *text, const void *data, size_t size);
