/* SPDX-License-Identifier: MIT */
#pragma once

/* What errors in JSON have of a call's end, however they are spelled. */

#include "call/dialect.h"
#include "codec/rpc_status.h"
#include "front/text.h"

/* Adds the status' text, as a string of JSON. */
void error_add_message(struct text *text, const struct dialect_end *end);

/*
 * The google.rpc.Status that @end has its details in; no bytes: it has none. They are in @ret_bytes, which is to be
 * deinitialised, and has failed without memory.
 */
upb_StringView error_details(const struct dialect_end *end, struct text *ret_bytes);

/* The name of a detail's type: what is behind the last slash of its URL. */
upb_StringView error_detail_name(const struct rpc_detail *detail);

/*
 * The message that @detail is, as JSON in @arena. False: its type is not known to the server of @call, or it is malformed. *@ret_special: it
 * is of a type that has a spelling of its own in JSON, so this may be no object.
 */
bool error_detail_print(struct quoit_call *call, const struct rpc_detail *detail, upb_Arena *arena,
        bool *ret_special, upb_StringView *ret_json);
