/* SPDX-License-Identifier: MIT */
#pragma once

/* The Connect protocol, version 1 (connectrpc.com/docs/protocol). */

#include "call/dialect.h"

extern const struct dialect connect_unary;  /* POST: a bare body, an answer with an HTTP status */
extern const struct dialect connect_get;    /* the same by GET: the message is in the query */
extern const struct dialect connect_stream; /* frames as gRPC's, and a last one with the status */

/* ---- what they share ---- */

/* The texts of what is wrong with the header block. */
quoit_status connect_take_version(const struct quoit_call *call, const char **ret_text);
quoit_status connect_take_timeout(struct quoit_call *call, const char **ret_text);
/* The messages' compression, as @name says; and that of the answers, from the field @accept. */
quoit_status connect_take_compression(
        struct quoit_call *call, upb_StringView name, const char **ret_text);
void connect_take_accepted(struct quoit_call *call, const char *accept);

/* connect_unary's, for connect_get. */
int connect_unary_seal(struct quoit_call *call, struct encoding *encoding);
void connect_unary_end(struct quoit_call *call, const struct dialect_end *end);

/* The value of @name in @query, still percent-encoded. False: it is not there. */
bool connect_get_parameter(upb_StringView query, const char *name, upb_StringView *ret_value);
