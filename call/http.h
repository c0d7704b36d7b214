/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls that are plain HTTP requests (quoit/http.h). They pass admission, interceptors and the dispatcher as others do; only how
 * they are answered differs: one status, fields, a body without framing, no trailers.
 */

#include <stdbool.h>

#include <quoit/http.h>

#include "call/call.h"

/* The method of all of them. Their handlers start when the request has ended. */
extern const quoit_method http_method;

/* A handler and its path. */
struct http_route {
        struct route route; /* its method is http_method */
        quoit_http_handler handler;
        quoit_http_listeners listeners;
        bool is_prefix;
        size_t path_size;
        char path[]; /* of a prefix: without the star */
};

/* Whether @call is a plain HTTP request for a path that has a handler. */
static inline bool call_has_http_handler(const struct quoit_call *call)
{
        return call->request.route && call->request.route->method == &http_method;
}

/* @call has http_method's route: its handler's turn. */
void http_run(struct quoit_call *call);

/* It was finished: sends the answer. Ring's side. */
void http_submit_finished(struct quoit_call *call);

/* It ends without its handler: sends @status, or the HTTP status in the request if that has one, and the static @text. Ring's side. */
void http_submit_cancelled(struct quoit_call *call, quoit_status status, const char *text);
