/* SPDX-License-Identifier: MIT */
#pragma once

/* What errors in JSON have of a call's end, however they are spelled. */

#include "call/dialect.h"
#include "front/text.h"

/* Adds the status' text, as a string of JSON. */
void error_add_message(struct text *text, const struct dialect_end *end);

/*
 * The google.rpc.Status that @end has its details in; no bytes: it has none. They are in @ret_bytes, which is to be
 * deinitialised, and has failed without memory.
 */
upb_StringView error_details(const struct dialect_end *end, struct text *ret_bytes);
