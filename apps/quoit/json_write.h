/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON, for people and for programs. */

#include <stdbool.h>
#include <stdio.h>

#include "paint.h"
#include "upb/base/string_view.h"

/*
 * Writes @text, which is JSON without white space, with colours; @is_pretty: on several lines, of which all but the first begin with
 * @indent spaces.
 */
void json_write(
        FILE *to, upb_StringView text, bool is_pretty, int indent, const struct paint *paint);

/* Writes a string with its quotes; each byte that is no UTF-8 becomes the character of that number. */
void json_write_string(FILE *to, upb_StringView text);
