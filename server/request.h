/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Is it a gRPC request, and for whom? The header block of a call, field by field, then the verdict
 * (PROTOCOL-HTTP2, "Requests"; HTTP's own rules nghttp2 has checked before).
 */

#include <stdbool.h>

#include "call/call.h"
#include "server/router.h"
#include "transport/session.h"

/* A field of the header block of @call, which is OPENING. */
void request_add_field(
        struct quoit_call *call, const struct router *router, const struct session_field *field);

/* The block is complete: the call becomes OPEN, its deadline runs; or it is answered with what is wrong. */
void request_accept(struct quoit_call *call, bool oversize);
