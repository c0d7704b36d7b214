/* SPDX-License-Identifier: MIT */
#pragma once

/* Which rule of HTTP/2 a request breaks, in words for a log. Pure. */

#include <stdbool.h>
#include <stddef.h>

/* Of a field that nghttp2 takes for malformed; static. @trailer: it came behind the request's body. */
const char *malformed_field_rule(const char *name, size_t size, bool trailer);
