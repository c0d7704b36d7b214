/* SPDX-License-Identifier: MIT */
#pragma once

/* Base64 of RFC 4648 section 4. */

#include <stdbool.h>
#include <stddef.h>

/* How much room base64_encode() takes for @size bytes, with the zero at its end. */
#define BASE64_ENCODED_BYTES(size) (((size) + 2) / 3 * 4 + 1)

/* Zero-terminated, with padding. */
void base64_encode(const void *bytes, size_t size, char *ret_text);

/* The bytes that @text means, with padding or without, also of section 5 (URLs). Room for 3/4 of its size. False: it is no base64. */
bool base64_decode(const char *text, size_t size, void *ret_bytes, size_t *ret_size);
