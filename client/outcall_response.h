/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a response says, from its header blocks to the call's status (gRPC's PROTOCOL-HTTP2, "Responses", and its documents
 * "HTTP to gRPC Status Code Mapping" and "Status codes and their use in gRPC"). Inside nghttp2's callbacks: only notes.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/status.h>

struct quoit_outcall;
struct session_field;

void response_add_field(struct quoit_outcall *call, const struct session_field *field);

/* The first header block is complete. May end the call: it is not gRPC's. */
void response_on_headers(struct quoit_outcall *call, bool oversize);

/* The server's side is complete: the call has its status. */
void response_on_end(struct quoit_outcall *call);

/* The stream is closed without that. @error_code: of HTTP/2. */
void response_on_reset(struct quoit_outcall *call, uint32_t error_code);
