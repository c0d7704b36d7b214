/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request that is plain HTTP, not gRPC: it gets its path's handler, or is refused. Either waits for the request's end, as it can
 * still turn out to be malformed (RFC 9113, section 8.1.1), but not forever: a client with a wrong content-type may itself wait for
 * the answer. A body is skipped.
 */

#include <quoit/http.h>

struct http_routes;
struct quoit_call;

/* The header block is complete, in state OPENING. @listener: the kind that it came in by. */
void http_request_accept(
        struct quoit_call *call, const struct http_routes *handlers, quoit_http_listeners listener);

/* More of the body has come. */
void http_request_data(struct quoit_call *call);

/* The request has ended. */
void http_request_end(struct quoit_call *call);
