/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * printf for what handlers format most: text, %%, %c, %s, %.*s, and %d, %i, %u, %x with l, ll or z or without.
 * vsnprintf() takes several hundred instructions for any of them.
 *
 * Writes at most @size bytes to @out and no NUL. Returns how many, or SIZE_MAX: something else is in @format, or there
 * is not enough room, and what is in @out is of no use. @arguments is left as it was.
 */
size_t format_quickly(char *out, size_t size, const char *format, va_list arguments);
