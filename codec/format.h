/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * printf for the conversions that handlers use most: text, %%, %c, %s, %.*s, and %d, %i, %u, %x with l, ll or z or without.
 * vsnprintf() takes several hundred instructions for any of them.
 *
 * Writes at most @size bytes to @out and no NUL. Returns how many. SIZE_MAX: @format has another conversion, or there is not
 * enough room; then @out is undefined. @arguments is not changed.
 */
size_t format_quickly(char *out, size_t size, const char *format, va_list arguments);
