/* SPDX-License-Identifier: MIT */
#pragma once

/* How Connect spells the end of a call, in JSON. */

#include <stdbool.h>

#include "call.h"

/* An error, {"code":...}: all of the end but the trailers. False: it is none. */
bool connect_take_error(struct http1_end *end, upb_StringView text, struct upb_Arena *arena);

/* The last message of a stream, {"error":...,"metadata":...}: all of the end. False: it is none. */
bool connect_take_end(struct http1_end *end, upb_StringView text, struct upb_Arena *arena);
