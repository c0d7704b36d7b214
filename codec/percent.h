/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * The percent-encoding of `grpc-message`: bytes outside 0x20..0x7E, and '%' itself, are sent as %XX. Works on bytes and does
 * not check for UTF-8. Nothing is zero-terminated.
 */

/* The size of the encoded form; equal to @size if and only if encoding changes nothing. */
size_t percent_encoded_size(const char *text, size_t size);

/*
 * Encodes into @out, which has room for percent_encoded_size() bytes and does not overlap. Returns
 * the bytes written.
 */
size_t percent_encode(char *out, const char *text, size_t size);

/* The byte that the %XX at the beginning of @text stands for; -1: there is none. */
int percent_read(const char *text, size_t size);

/*
 * Decodes into @out, which has room for @size bytes and may be @text itself. Returns the bytes written. There is no error: a
 * '%' without two hexadecimal digits after it is copied, since a broken message is better than none.
 */
size_t percent_decode(char *out, const char *text, size_t size);
