/* SPDX-License-Identifier: MIT */
#include "server/http_request.h"

#include <string.h>

#include "call/cors.h"
#include "call/generic.h"
#include "call/http.h"
#include "core/clock.h"
#include "server/http_routes.h"

/* How much of a body is skipped, and how long its end is awaited. */
#define BODY_BYTES_MAX 16384
#define BODY_NS NS_PER_S
#define NO_BODY "this path takes no body\n"

/* Its answer is known already; @text: its body. */
static void refuse(struct quoit_call *call, const char *http_status, const char *text)
{
        call->request.http_status = http_status;
        call->request.http_text =
                call->request.http_method == METHOD_HEAD ? "" : text; /* RFC 9110, section 9.3.2 */
        if (fields_content_length(&call->request.fields) > BODY_BYTES_MAX)
                call_refuse_http(call);
        else
                call_await_http(call, BODY_NS);
}

/* The path of the handlers goes up to the query. NULL: it is a method's, or there was no memory for it. */
static const char *take_path(struct quoit_call *call)
{
        char *path = (char *)call->request.unknown_path;
        char *query = path ? strchr(path, '?') : NULL;

        call->request.has_query = query != NULL;
        if (query)
                *query = '\0';
        return path;
}

static void answer_preflight(struct quoit_call *call)
{
        cors_answer_preflight(call);
        call_await_http(call, BODY_NS);
}

/* RFC 9110, section 9.3.7: its answer says in `allow` what else there is. HAProxy's checks ask so, unless told otherwise. */
static bool asks_for_options(const struct quoit_call *call)
{
        return call->request.http_method == METHOD_OPTIONS;
}

static void begin(struct quoit_call *call, const struct http_route *route)
{
        call_set_route(call, &route->route);
        if (asks_for_options(call)) {
                refuse(call, "200", "");
                return;
        }
        if (call->request.http_method != METHOD_GET && call->request.http_method != METHOD_HEAD) {
                refuse(call, "405", "this path takes GET and HEAD only\n");
                return;
        }
        if (fields_content_length(&call->request.fields) > BODY_BYTES_MAX) {
                refuse(call, "413", NO_BODY);
                return;
        }
        call_set_state(call, CALL_OPEN);
        if (!call->exchange.stream.block_ends)
                call_await_http(call, BODY_NS);
}

/* Its method has no type that JSON could be read by. */
static bool is_untyped(const struct quoit_call *call)
{
        return call->request.route && call_is_generic(call);
}

void http_request_accept(
        struct quoit_call *call, const struct http_routes *handlers, quoit_http_listeners listener)
{
        const char *path = take_path(call);
        const struct http_route *route =
                path ? http_routes_find(handlers, listener, path, strlen(path)) : NULL;

        call->request.is_http = true;
        call->request.http_text = NULL; /* where the method was while the block arrived */
        if (cors_is_preflight(call))
                answer_preflight(call);
        else if (route)
                begin(call, route);
        else if (path && asks_for_options(call) && strcmp(path, "*") == 0) /* of the whole server */
                refuse(call, "200", "");
        else if (listener == QUOIT_HTTP_ADMIN ||
                 (path && !call->request.is_grpc && http_routes_any(handlers, listener)))
                refuse(call, "404", "nothing is served at this path\n");
        else if (call->request.http_method != METHOD_POST)
                refuse(call, "405", "gRPC is served here: POST only\n");
        else if (call->request.is_grpc)
                refuse(call, "505", "gRPC needs HTTP/2\n");
        else if (is_untyped(call))
                refuse(call, "415",
                        "messages are bytes here, not JSON: content-type: application/proto\n");
        else
                refuse(call, "415", "gRPC is served here: content-type: application/grpc\n");
}

void http_request_data(struct quoit_call *call)
{
        if (call->exchange.stream.unconsumed_bytes <= BODY_BYTES_MAX)
                return;
        if (call->ring.state == CALL_OPENING) {
                call_refuse_http(call);
        } else if (call->ring.state == CALL_OPEN) {
                call->request.http_status = "413";
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, NO_BODY);
        }
}

void http_request_end(struct quoit_call *call)
{
        if (call->ring.state == CALL_OPENING) {
                call_refuse_http(call);
        } else if (call->ring.state == CALL_OPEN) {
                timer_cancel(&call_host_of(call)->ring->timers, &call->exchange.deadline);
                call_wake(call);
        }
}
