/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "../paint.h"
#include "upb/base/string_view.h"

/* Prints @text, of a .proto file as proto/text.h makes it, with colours: keywords, scalar types, strings, numbers, comments. */
void proto_colour(FILE *out, upb_StringView text, const struct paint *paint);
