/* SPDX-License-Identifier: MIT */
#pragma once

/* The Connect protocol, version 1 (connectrpc.com/docs/protocol). */

#include "call/dialect.h"

extern const struct dialect connect_unary;  /* POST: a bare body, an answer with an HTTP status */
extern const struct dialect connect_get;    /* the same by GET: the message is in the query */
extern const struct dialect connect_stream; /* frames as gRPC's, and a last one with the status */

/* ---- what they share ---- */

/* dialect.begin of POST: version, timeout and compressions. */
quoit_status connect_begin(struct quoit_call *call, const char **ret_text);
/* The timeout alone. */
quoit_status connect_take_timeout(struct quoit_call *call, const char **ret_text);

/* connect_unary's, for connect_get. */
void connect_unary_end(struct quoit_call *call, const struct dialect_end *end);

/* The value of @name in @query, still percent-encoded. False: it is not there. */
bool connect_get_parameter(upb_StringView query, const char *name, upb_StringView *ret_value);
