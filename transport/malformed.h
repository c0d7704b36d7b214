/* SPDX-License-Identifier: MIT */
#pragma once

/* Which rule of HTTP/2 a request or a response breaks, in words for a log. Pure. */

#include <stdbool.h>
#include <stddef.h>

/*
 * The rule that is broken by a field which nghttp2 takes for malformed; static. @response: the field is a response's.
 * @trailer: it came behind the body.
 */
const char *malformed_field_rule(const char *name, size_t size, bool response, bool trailer);
