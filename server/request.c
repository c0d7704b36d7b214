/* SPDX-License-Identifier: MIT */
#include "server/request.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "call/cors.h"
#include "call/dialect.h"
#include "call/http.h"
#include "call/unknown.h"
#include "codec/timeout.h"
#include "core/clock.h"
#include "core/usdt.h"
#include "front/choose.h"
#include "front/transcoding.h"
#include "server/http_request.h"
#include "server/http_routes.h"

#define GRPC_TYPE "application/grpc"

static bool is(const char *text, size_t size, const char *what)
{
        return size == strlen(what) && memcmp(text, what, size) == 0;
}

static bool is_value(const struct session_field *field, const char *what)
{
        return is(field->value, field->value_size, what);
}

/* Whether the text begins with @what, in upper or lower case; moves past it. */
static bool skip(const char **text, size_t *size, const char *what)
{
        size_t prefix = strlen(what);

        if (*size < prefix || strncasecmp(*text, what, prefix) != 0)
                return false;
        *text += prefix;
        *size -= prefix;
        return true;
}

/* "application/grpc", "+proto", with parameters or without (RFC 9110, section 8.3.1). */
static bool is_grpc_type(const char *type, size_t size)
{
        if (is(type, size, GRPC_TYPE))
                return true;
        if (!skip(&type, &size, GRPC_TYPE))
                return false;
        skip(&type, &size, "+proto");
        return size == 0 || *type == ';' || *type == ' ' || *type == '\t';
}

static void take_authority(struct quoit_call *call, const char *text, size_t size)
{
        upb_Arena *arena = call_arena(call);
        char *copy = arena && size > 0 ? upb_Arena_Malloc(arena, size) : NULL;

        if (copy)
                call->request.authority =
                        upb_StringView_FromDataAndSize(memcpy(copy, text, size), size);
}

/* A copy with a zero. NULL: no memory. */
static const char *take_text(struct quoit_call *call, const char *text, size_t size)
{
        char *copy = call_alloc(call, size + 1);

        if (!copy)
                call->request.out_of_memory = true;
        return copy ? memcpy(copy, text, size) : NULL;
}

/* An arena for workers is not on the ring's pool: what the pseudo fields have left in this one moves. */
static void leave_ring_arena(struct quoit_call *call)
{
        struct request *request = &call->request, old = *request;
        struct arena old_arena = call->exchange.lent.arena;

        call->exchange.lent.arena = (struct arena){ 0 };
        request->authority = upb_StringView_FromDataAndSize(NULL, 0);
        take_authority(call, old.authority.data, old.authority.size);
        if (old.unknown_path)
                request->unknown_path = take_text(call, old.unknown_path, strlen(old.unknown_path));
        if (old.other_method)
                request->other_method = take_text(call, old.other_method, strlen(old.other_method));
        arena_deinit(&old_arena);
}

/* They may have come before the method is known to be offloaded. */
static void take_route(struct quoit_call *call, const struct route *route)
{
        call_set_route(call, route);
        if (route->options.offload && call->exchange.lent.arena.pool)
                leave_ring_arena(call);
}

/*
 * A path without a route is answered like any call: by the generic handler, or by a built-in method. So the client, and
 * interceptors, learn which path it was.
 */
static void take_unknown_path(
        struct quoit_call *call, const struct router *router, const struct session_field *field)
{
        const struct route *route = router_find_generic(router, field->value, field->value_size);
        char *path;

        if (!route)
                route = router_has_service_of(router, field->value, field->value_size)
                                ? &unknown_method_route
                                : &unknown_service_route;
        take_route(call, route);
        path = call_alloc(call, field->value_size + 1);
        if (path)
                call->request.unknown_path = memcpy(path, field->value, field->value_size);
}

/* "/package.Service/method?query". False: it is no path of a route with a query behind it. */
static bool take_path_of_query(
        struct quoit_call *call, const struct router *router, const struct session_field *field)
{
        const char *mark = memchr(field->value, '?', field->value_size);
        const struct route *route =
                mark ? router_find(router, field->value, (size_t)(mark - field->value)) : NULL;
        struct front *front;
        size_t size;
        char *query;

        if (!route)
                return false;
        take_route(call, route);
        size = field->value_size - (size_t)(mark + 1 - field->value);
        front = call_make_front(call);
        query = front ? call_alloc(call, size + 1) : NULL;
        if (query)
                front->query = upb_StringView_FromDataAndSize(memcpy(query, mark + 1, size), size);
        else
                call->request.out_of_memory = true;
        return true;
}

static void take_path(
        struct quoit_call *call, const struct router *router, const struct session_field *field)
{
        const struct route *route = router_find(router, field->value, field->value_size);

        call->request.has_path = field->value_size > 0 && *field->value == '/';
        if (route)
                take_route(call, route);
        else if (!take_path_of_query(call, router, field))
                take_unknown_path(call, router, field);
}

static upb_StringView method_of(const struct request *request)
{
        if (request->is_post || request->is_get || request->is_head)
                return upb_StringView_FromString(request->is_post  ? "POST"
                                                 : request->is_get ? "GET"
                                                                   : "HEAD");
        return upb_StringView_FromString(request->other_method ? request->other_method : "");
}

/* Method and path are known. If the path is no route's, a rule may have both. */
static void take_rule(struct quoit_call *call, const struct router *router)
{
        struct request *request = &call->request;
        const struct route *without = request->route;
        const struct transcoding_rule *rule;

        if (!router->rules || !request->has_method || !request->unknown_path ||
                *request->unknown_path != '/')
                return;
        rule = transcoding_find(router->rules, method_of(request), request->unknown_path);
        if (!rule) {
                transcoding_take_others(call, router->rules);
                return;
        }
        take_route(call, rule->route);
        if (request->unknown_path)
                transcoding_take(call, rule, without);
}

static void take_method(struct quoit_call *call, const struct session_field *field)
{
        struct request *request = &call->request;

        request->has_method = true;
        request->is_post = is_value(field, "POST");
        request->is_get = is_value(field, "GET");
        request->is_head = is_value(field, "HEAD");
        request->is_options = is_value(field, "OPTIONS");
        if (!request->is_post && !request->is_get && !request->is_head)
                request->other_method = take_text(call, field->value, field->value_size);
}

static void add_pseudo(
        struct quoit_call *call, const struct router *router, const struct session_field *field)
{
        struct request *request = &call->request;

        if (session_field_is(field, ":path")) {
                take_path(call, router, field);
                take_rule(call, router);
        } else if (session_field_is(field, ":method")) {
                take_method(call, field);
                take_rule(call, router);
        } else if (session_field_is(field, ":authority")) {
                request->has_authority = true;
                take_authority(call, field->value, field->value_size);
        } else { /* :scheme; HTTP/2 requests have no others */
                request->has_scheme = true;
        }
}

static void add_encoding(struct quoit_call *call, const struct session_field *field)
{
        quoit_compression *algorithm = &call->exchange.reader.compression;

        call->request.bad_encoding =
                compression_parse(field->value, field->value_size, algorithm) < 0;
        call->request.has_encoding = call->request.bad_encoding || *algorithm != QUOIT_IDENTITY;
}

/* Metadata for the handler, unless the name is reserved for the protocol. */
static void add_metadata(struct quoit_call *call, const struct session_field *field)
{
        upb_Arena *arena = call_arena(call);
        int r = arena ? fields_receive(&call->request.fields, arena, field->name, field->name_size,
                                field->value, field->value_size,
                                call_limits(call)->header_fields_max)
                      : -ENOMEM;

        if (r == -E2BIG)
                call->request.oversize = true;
        else if (r < 0)
                call->request.out_of_memory = true;
}

static void add_grpc(struct quoit_call *call, const struct session_field *field)
{
        struct request *request = &call->request;

        if (session_field_is(field, "grpc-timeout")) {
                request->has_timeout = true;
                request->bad_timeout =
                        timeout_parse(field->value, field->value_size, &request->timeout_ns) < 0;
        } else if (session_field_is(field, "grpc-encoding")) {
                add_encoding(call, field);
        } else if (session_field_is(field, "grpc-accept-encoding")) {
                call->exchange.accepted = compression_cache_parse(
                        &call_host_of(call)->accepted, field->value, field->value_size);
        } else {
                add_metadata(call, field);
        }
}

/* HTTP/1's name for :authority, which goes first (gRPC's proposal A41). */
static void add_host(struct quoit_call *call, const struct session_field *field)
{
        if (!call->request.has_authority)
                take_authority(call, field->value, field->value_size);
}

/* One that is not gRPC's is kept, for those who understand it. */
static void add_content_type(struct quoit_call *call, const struct session_field *field)
{
        call->request.is_grpc = is_grpc_type(field->value, field->value_size);
        if (!call->request.is_grpc)
                add_metadata(call, field);
}

static void add_regular(struct quoit_call *call, const struct session_field *field)
{
        if (session_field_is(field, "content-type"))
                add_content_type(call, field);
        else if (session_field_is(field, "host"))
                add_host(call, field);
        else if (!session_field_is(field, "te")) /* hop-by-hop: it may be a proxy's */
                add_metadata(call, field);
}

/* What the fields so far have made the call's arena grow by counts for the connection. */
static void hold_growth(struct quoit_call *call)
{
        const upb_Arena *arena = call->exchange.lent.arena.upb;

        if (arena)
                reader_hold_metadata(&call->exchange, arena_grown_bytes(arena));
}

/* A block whose fields are smaller hardly outgrows the arena's first block. */
#define SMALL_BLOCK_BYTES 1024

/*
 * Whether the connection may hold one more field of its peer. A block is not counted only when it is complete, because the peer
 * may never complete it.
 */
static bool has_room(struct quoit_call *call, const struct session_field *field)
{
        const struct call_group *group = call->exchange.group;
        size_t held_bytes;

        if (call->exchange.stream.field_bytes + call->request.fields.bytes <= SMALL_BLOCK_BYTES)
                return true;
        hold_growth(call);
        held_bytes = call_group_held_bytes(group) + field->name_size + field->value_size;
        if (held_bytes > group->host->limits->connection_receive_bytes_max) {
                call->request.over_connection = true;
                return false;
        }
        return room_allows(&group->host->room, held_bytes);
}

void request_add_field(
        struct quoit_call *call, const struct router *router, const struct session_field *field)
{
        if (call->ring.state != CALL_OPENING || call->request.has_no_room)
                return;
        call->request.has_no_room = !has_room(call, field);
        if (call->request.has_no_room)
                return;
        if (field->name_size > 0 && *field->name == ':')
                add_pseudo(call, router, field);
        else if (field->name_size > 5 && memcmp(field->name, "grpc-", 5) == 0)
                add_grpc(call, field);
        else
                add_regular(call, field);
}

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
        return call->request.is_post && call->request.is_grpc && !call->front;
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

void request_accept(
        struct quoit_call *call, bool oversize, const struct http_routes *handlers, bool is_admin)
{
        const char *text = NULL;
        quoit_status status;

        if (call->ring.state != CALL_OPENING)
                return;
        hold_growth(call);
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
        if (!oversize && (is_admin || cors_is_preflight(call) || !is_call(call))) {
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
        call_set_state(call, CALL_OPEN);
        QUOIT_PROBE(call_start, call, call->exchange.group, call->request.route->method->path);
        if (!call->request.has_timeout)
                return;
        if (call->request.timeout_ns == 0) /* no handler may begin */
                call_cancel(call, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        else
                call_set_deadline(call, call->request.timeout_ns);
}
