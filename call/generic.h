/* SPDX-License-Identifier: MIT */
#pragma once

/* The method of all calls of the server's generic handler (quoit/generic.h). Its messages are bytes without a type. */

#include <quoit/generic.h>

#include "call/call.h"

extern const quoit_method generic_method;

static inline bool call_is_generic(const struct quoit_call *call)
{
        return call->request.route->method == &generic_method;
}

/* Gives the handler a message. */
void generic_message(struct quoit_call *call, upb_StringView message);
