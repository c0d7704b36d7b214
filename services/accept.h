/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * How much an Accept field of @size bytes wants @type ("text/plain"), in thousandths: its own q, or that of "text/" and a star or of two
 * stars (RFC 9110, section 12.5.1). 0: not at all. Parameters other than q are passed over.
 */
unsigned accept_quality(const char *field, size_t size, const char *type);
