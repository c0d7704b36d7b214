/* SPDX-License-Identifier: MIT */
#include "server/request.h"

#include <string.h>

#include "call/cors.h"
#include "call/dialect.h"
#include "call/http.h"
#include "call/unknown.h"
#include "core/clock.h"
#include "core/usdt.h"
#include "front/choose.h"
#include "front/transcoding.h"
#include "server/http_request.h"
#include "server/http_routes.h"

/* @oversize: the block was not read to its end. */
static const char *oversize_text(const struct quoit_call *call, bool oversize)
{
        if (oversize && call->exchange.stream.field_count <= call_limits(call)->header_fields_max)
                return "request metadata is over the limit (header_bytes_max)";
        return "request metadata is over the limit (header_fields_max)";
}

/* In the order in which other implementations check. */
static quoit_status find_fault(const struct quoit_call *call, bool oversize, const char **ret_text)
{
        const struct request *request = &call->request;

        if (oversize || request->oversize) {
                *ret_text = oversize_text(call, oversize);
                return QUOIT_RESOURCE_EXHAUSTED;
        }
        if (!request->has_path) {
                *ret_text = "malformed method name";
                return QUOIT_UNIMPLEMENTED;
        }
        if (request->bad_timeout) {
                *ret_text = "malformed grpc-timeout";
                return QUOIT_INTERNAL;
        }
        if (request->bad_encoding) {
                *ret_text = "grpc-encoding is not supported";
                return QUOIT_UNIMPLEMENTED;
        }
        if (request->out_of_memory) {
                *ret_text = "out of memory";
                return QUOIT_RESOURCE_EXHAUSTED;
        }
        return QUOIT_OK;
}

/* Applies the method's options to the call. */
static void apply_options(struct quoit_call *call)
{
        const quoit_method_options *options = &call->request.route->options;
        uint64_t timeout_max_ns = options->deadline_max_ms * NS_PER_MS;
        struct request *request = &call->request;

        if (timeout_max_ns > 0 && (!request->has_timeout || request->timeout_ns > timeout_max_ns)) {
                request->has_timeout = request->is_method_timeout = true;
                request->timeout_ns = timeout_max_ns;
        }
        if (compression_has(call->exchange.accepted, options->compression))
                call->exchange.lent.compression = options->compression;
        if (call->exchange.lent.compression == QUOIT_IDENTITY &&
                compression_has(call->exchange.accepted, call_host_of(call)->compression))
                call->exchange.lent.compression = call_host_of(call)->compression;
        if (options->message_receive_bytes_max > 0)
                exchange_limit_messages(&call->exchange, options->message_receive_bytes_max);
}

/* Its way is that of gRPC over HTTP/2, where nobody is asked. */
static bool is_plain_grpc(const struct quoit_call *call)
{
        return call->request.http_method == METHOD_POST && call->request.is_grpc && !call->front;
}

/*
 * By a protocol that the method can be called by. gRPC's own is one only over HTTP/2: HTTP/1.1 has trailers, but hardly a client reads them,
 * nor can both of its ends speak at once.
 */
static bool is_call(struct quoit_call *call)
{
        if (!is_plain_grpc(call) && !(front_choose(call) && call_protocol_is_on(call)))
                return false;
        return !call->exchange.stream.session->http1 || call_protocol(call) != QUOIT_PROTOCOL_GRPC;
}

/*
 * A rule has found it by its path alone. That counts for nothing if it is gRPC, if a handler of HTTP has that very path, or if
 * the method is not called so, nor here.
 */
static void check_rule(struct quoit_call *call, const struct http_routes *handlers, bool is_admin)
{
        const struct transcoding *state = call->front->state;
        const struct http_route *handler =
                http_routes_find(handlers, QUOIT_HTTP_ORDINARY, state->path.data, state->path.size);

        if (is_admin || call->request.is_grpc || !call_protocol_is_on(call) ||
                cors_is_preflight(call) || (handler && (!handler->is_prefix || !state->rule)))
                transcoding_leave(call);
}

/* A page's path is no method's, whatever is sent there. But where all paths are a page's, calls of unknown methods are calls. */
static bool is_page(const struct quoit_call *call, const struct http_routes *handlers)
{
        const char *path = call->request.unknown_path;
        const struct http_route *handler;

        if (!path || !call->request.route || !route_is_unknown(call->request.route) ||
                call->request.is_grpc)
                return false;
        handler = http_routes_find(handlers, QUOIT_HTTP_ORDINARY, path, strcspn(path, "?"));
        return handler && (!handler->is_prefix || handler->path_size > 1);
}

/* A body that says at once how long it is need not be read. */
static bool is_too_long(const struct quoit_call *call)
{
        return call->front && call->front->dialect->is_bare &&
               fields_content_length(&call->request.fields) > call->exchange.message_bytes_max;
}

void request_accept(
        struct quoit_call *call, bool oversize, const struct http_routes *handlers, bool is_admin)
{
        const char *text = NULL;
        quoit_status status;

        if (call->ring.state != CALL_OPENING)
                return;
        request_hold_growth(call);
        if (call_host_of(call)->interceptors)
                call->ring.opened_ns = call_clock_ns(call);
        if (call->request.over_connection) {
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, CALL_OVER_CONNECTION);
                return;
        }
        if (call->request.has_no_room) {
                call_refuse_memory(call);
                return;
        }
        if (transcoding_has(call))
                check_rule(call, handlers, is_admin);
        if (!oversize && (is_admin || cors_is_preflight(call) || is_page(call, handlers) ||
                                 !is_call(call))) {
                http_request_accept(
                        call, handlers, is_admin ? QUOIT_HTTP_ADMIN : QUOIT_HTTP_ORDINARY);
                return;
        }
        status = find_fault(call, oversize, &text);
        if (status == QUOIT_OK && call->front && call->front->dialect->begin)
                status = call->front->dialect->begin(call, &text);
        if (status != QUOIT_OK) {
                call_cancel(call, status, text);
                return;
        }
        if (!call_protocol_is_on(call)) {
                call_cancel(call, QUOIT_UNIMPLEMENTED, "this method is not called by gRPC here");
                return;
        }
        apply_options(call);
        if (is_too_long(call)) {
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, REQUEST_TOO_LONG);
                return;
        }
        call_set_state(call, CALL_OPEN);
        QUOIT_PROBE(call_start, call, call->exchange.group, call->request.route->method->path);
        if (!call->request.has_timeout)
                return;
        if (call->request.timeout_ns == 0) /* no handler may begin */
                call_cancel(call, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        else
                call_set_deadline(call, call->request.timeout_ns);
}
