/* SPDX-License-Identifier: MIT */
#pragma once

/* How Connect spells the end of a call, in JSON. */

#include "call.h"

/* An error, {"code":...}: all of the end but the trailers. 0; -EBADMSG: it is none; -ENOMEM. */
int connect_take_error(struct http1_end *end, upb_StringView text, struct upb_Arena *arena);

/* The last message of a stream, {"error":...,"metadata":...}: all of the end. 0; -EBADMSG: it is none; -EMSGSIZE, -ENOMEM. */
int connect_take_end(struct http1_end *end, upb_StringView text, struct upb_Arena *arena);
