/* SPDX-License-Identifier: MIT */
#pragma once

/* Which rule of HTTP/2 a request or a response breaks, as text for a log. */

#include <stdbool.h>
#include <stddef.h>

/*
 * The rule that is broken by a field which nghttp2 found malformed; static. @response: the field is part of a response.
 * @trailer: it arrived after the body.
 */
const char *malformed_field_rule(const char *name, size_t size, bool response, bool trailer);
