/* SPDX-License-Identifier: MIT */
#pragma once

/* How Connect spells what a call ended with (connectrpc.com/docs/protocol, "Error codes" and "Error end stream"). */

#include "call/dialect.h"
#include "front/text.h"

/* Whether @field is the trailer that details are in (<quoit/details.h>): in Connect they are part of the error. */
bool connect_is_details(const struct field *field);

/* Adds {"code":...,"message":...,"details":[...]}. The status is not OK. */
void connect_error_add(struct text *text, struct quoit_call *call, const struct dialect_end *end);
