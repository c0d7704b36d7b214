/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <string.h>

#include "front/query.h"

bool transcoding_has(const struct quoit_call *call)
{
        return call->front && call->front->dialect->protocol == QUOIT_PROTOCOL_TRANSCODING;
}

static upb_StringView path_of(const char *target)
{
        upb_StringView path, query;

        query_split(upb_StringView_FromString(target), &path, &query);
        return path;
}

const struct transcoding_rule *transcoding_find(
        const struct transcoding_router *router, upb_StringView http_method, const char *target)
{
        const struct transcoding_rule *rule =
                transcoding_router_find(router, http_method, path_of(target));

        if (rule || !upb_StringView_IsEqual(http_method, upb_StringView_FromString("HEAD")))
                return rule;
        rule = transcoding_router_find(router, upb_StringView_FromString("GET"), path_of(target));
        return rule && rule->route->method->kind == QUOIT_UNARY ? rule : NULL;
}

static const struct dialect *dialect_for(const struct transcoding_rule *rule)
{
        if (!rule)
                return &transcoding_refusal;
        return rule->route->method->kind == QUOIT_UNARY ? &transcoding_unary : &transcoding_stream;
}

/* @allow: NULL, or the methods of HTTP that it may have. */
static void take(struct quoit_call *call, const struct transcoding_rule *rule,
        const struct route *without, const char *allow)
{
        size_t allow_bytes = allow ? strlen(allow) + 1 : 0;
        struct front *front = call_make_front(call);
        struct transcoding *state = front ? call_alloc(call, sizeof(*state) + allow_bytes) : NULL;
        const char *target = call->request.unknown_path;

        if (!state) {
                call->front = NULL;
                call->request.out_of_memory = true;
                return;
        }
        *state = (struct transcoding){ .rule = rule, .without = without, .target = target };
        query_split(upb_StringView_FromString(target), &state->path, &front->query);
        if (allow)
                memcpy(state->allow, allow, allow_bytes);
        front->state = state;
        front->codec = &transcoding_codec;
        front->content_type = "application/json";
        front->dialect = dialect_for(rule);
}

void transcoding_take(
        struct quoit_call *call, const struct transcoding_rule *rule, const struct route *without)
{
        take(call, rule, without, NULL);
        call->request.unknown_path = NULL;
}

void transcoding_take_others(struct quoit_call *call, const struct transcoding_router *router)
{
        char allow[TRANSCODING_ALLOW_BYTES];

        if (transcoding_router_allow(router, path_of(call->request.unknown_path), allow) > 0)
                take(call, NULL, call->request.route, allow);
}

void transcoding_leave(struct quoit_call *call)
{
        const struct transcoding *state = call->front->state;

        call->request.unknown_path = state->target;
        call_set_route(call, state->without);
        call->front = NULL;
}
