/* SPDX-License-Identifier: MIT */
#include "server/request.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "call/dialect.h"
#include "call/unknown.h"
#include "codec/timeout.h"
#include "front/transcoding.h"

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

/* Of those that have a name of their own here. */
static const char *const method_names[] = {
        [METHOD_POST] = "POST",
        [METHOD_GET] = "GET",
        [METHOD_HEAD] = "HEAD",
        [METHOD_OPTIONS] = "OPTIONS",
        [METHOD_OTHER] = NULL,
};

static upb_StringView method_of(const struct request *request)
{
        const char *text = method_names[request->http_method];

        if (request->http_method == METHOD_OTHER)
                text = request->other_method;
        return upb_StringView_FromString(text ? text : "");
}

/* Method and path are known. If the path is no route's, a rule may have both. */
static void take_rule(struct quoit_call *call, const struct router *router)
{
        struct request *request = &call->request;
        const struct route *without = request->route;
        const struct transcoding_rule *rule;

        if (!router->rules || request->http_method == METHOD_NONE || !request->unknown_path ||
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

        request->http_method = METHOD_POST;
        while (request->http_method < METHOD_OTHER &&
                !is_value(field, method_names[request->http_method]))
                request->http_method++;
        if (request->http_method == METHOD_OTHER)
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

void request_hold_growth(struct quoit_call *call)
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
        request_hold_growth(call);
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
