/* SPDX-License-Identifier: MIT */
#pragma once

/* How a stream ends by a protocol that has no trailers of HTTP: with a last piece of its body. */

#include "call/dialect.h"

struct text;

/* For dialect.end: sends the headers if they were not sent, and @piece behind what is queued. An empty one is left out. */
void last_piece_send(
        struct quoit_call *call, const struct dialect_end *end, const struct text *piece);
