/* SPDX-License-Identifier: MIT */
#pragma once

/* The compressions of a call, from the fields that its dialect has for them. */

#include "call/dialect.h"

/* Of the request's messages. OK; UNIMPLEMENTED: it is not known, and *@ret_text says which are. */
quoit_status encodings_take(struct quoit_call *call, const char **ret_text);

/* The same for a @name that stands elsewhere; an empty one is none. */
quoit_status encodings_take_name(
        struct quoit_call *call, upb_StringView name, const char **ret_text);

/* Those that the client takes. OK; UNIMPLEMENTED, and *@ret_text says which we have: none of them, nor an answer without any. */
quoit_status encodings_take_accepted(struct quoit_call *call, const char **ret_text);
