/* SPDX-License-Identifier: MIT */
#pragma once

/* Peers can send any bytes; lines of the log are text. */

#include <stddef.h>

/* For @size bytes, and the terminating NUL. */
#define ESCAPED_BYTES_MAX(size) (4 * (size) + 1)

/* Writes @size bytes of @data as text: \xNN for a quotation mark, a backslash, and all that is not printable ASCII. */
void escape(char *text, const void *data, size_t size);
