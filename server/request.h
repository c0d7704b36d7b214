/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Takes the header block of a call, field by field, and decides: is it a valid gRPC request, and for which method?
 * (PROTOCOL-HTTP2, "Requests"; nghttp2 has checked HTTP's own rules before.)
 */

#include <stdbool.h>

#include "call/call.h"
#include "server/http_routes.h"
#include "server/router.h"
#include "transport/session.h"

#define REQUEST_TOO_LONG "the request message is over the limit (message_receive_bytes_max)"

/* A field of the header block of @call, which is OPENING. */
void request_add_field(
        struct quoit_call *call, const struct router *router, const struct session_field *field);

/* What the fields so far have made the call's arena grow by counts for the connection. */
void request_hold_growth(struct quoit_call *call);

/*
 * The block is complete. The call becomes OPEN and its deadline starts, or it is answered with what is wrong. @handlers: for plain
 * HTTP, which is all on a listener that @is_admin.
 */
void request_accept(
        struct quoit_call *call, bool oversize, const struct http_routes *handlers, bool is_admin);
