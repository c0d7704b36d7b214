/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the @from_size bytes of @from, up to the first zero, to @to, which has room for @size bytes (at least one): with U+FFFD in place of
 * each byte that is not UTF-8, cut between two characters, and with a zero behind it. So any bytes of a peer become a string of
 * protobuf.
 */
void text_copy(char *to, size_t size, const char *from, size_t from_size);

/* Whether a string of protobuf may be @text as it is. */
bool text_is_utf8(const char *text);
