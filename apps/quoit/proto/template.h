/* SPDX-License-Identifier: MIT */
#pragma once

/* An example of a message, as JSON, for people to fill in. */

#include <stdio.h>

#include "upb/reflection/def.h"

/*
 * Prints an object with all fields of @message, each with its default, repeated ones with one element, as it is parsed again. Of a oneof
 * there is the first field. A message within itself is {} or [], and so is all that is nested deeper than 8 messages or beyond 64 KiB.
 */
void proto_template(FILE *out, const upb_MessageDef *message);
