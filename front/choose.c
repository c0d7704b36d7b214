/* SPDX-License-Identifier: MIT */
#include "front/choose.h"

#include <string.h>
#include <strings.h>

#include "call/dialect.h"
#include "call/generic.h"
#include "call/unknown.h"
#include "front/connect.h"
#include "front/grpc_web.h"
#include "front/json_codec.h"
#include "front/media_type.h"
#include "front/transcoding.h"

/* What a content type stands for. */
struct media {
        const char *type;
        const struct dialect *dialect;
        const struct message_codec *codec;
};

static const struct media *find_media(upb_StringView type)
{
        static const struct media all[] = {
                { "application/grpc", &dialect_grpc, NULL },
                { "application/grpc+proto", &dialect_grpc, NULL },
                { "application/grpc+json", &dialect_grpc, &json_codec },
                { "application/grpc-web", &grpc_web, NULL },
                { "application/grpc-web+proto", &grpc_web, NULL },
                { "application/grpc-web+json", &grpc_web, &json_codec },
                { "application/grpc-web-text", &grpc_web_text, NULL },
                { "application/grpc-web-text+proto", &grpc_web_text, NULL },
                { "application/grpc-web-text+json", &grpc_web_text, &json_codec },
                { "application/proto", &connect_unary, NULL },
                { "application/json", &connect_unary, &json_codec },
                { "application/connect+proto", &connect_stream, NULL },
                { "application/connect+json", &connect_stream, &json_codec },
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
                if (strlen(all[i].type) == type.size &&
                        strncasecmp(all[i].type, type.data, type.size) == 0)
                        return all + i;
        return NULL;
}

static bool take(struct quoit_call *call, const struct media *media)
{
        struct front *front = call_make_front(call);

        if (!front)
                return false;
        front->dialect = media->dialect;
        front->codec = media->codec;
        front->content_type = media->type;
        if (media->dialect->is_bare) /* also of a method of which nobody knows how many it has */
                call->exchange.sends_many = false;
        return true;
}

/*
 * Whether the method can be called so: a stream needs frames, and a call of one message comes without them in Connect. Of a path that
 * nobody serves anything can be said.
 */
static bool suits(const struct quoit_call *call, const struct media *media)
{
        const struct route *route = call->request.route;

        if (!route || route_is_unknown(route))
                return route;
        if (call_is_generic(call)) /* its messages are bytes, in any number */
                return !media->codec;
        if (media->dialect == &connect_unary)
                return route->method->kind == QUOIT_UNARY;
        if (media->dialect == &connect_stream)
                return route->method->kind != QUOIT_UNARY;
        return true;
}

/* A GET of a method that changes nothing. */
static bool choose_get(struct quoit_call *call)
{
        const struct media *media = NULL;
        upb_StringView encoding;

        if (!call->front || !call->request.route->method->has_no_side_effects ||
                !connect_get_parameter(call->front->query, "encoding", &encoding))
                return false;
        if (upb_StringView_IsEqual(encoding, upb_StringView_FromString("json")))
                media = find_media(upb_StringView_FromString("application/json"));
        else if (upb_StringView_IsEqual(encoding, upb_StringView_FromString("proto")))
                media = find_media(upb_StringView_FromString("application/proto"));
        if (!media || !suits(call, media) || !take(call, media))
                return false;
        call->front->dialect = &connect_get;
        call->front->vary = connect_get.accept_field;
        return true;
}

bool front_choose(struct quoit_call *call)
{
        upb_StringView type;
        const struct media *media;

        if (transcoding_has(call)) /* by its path, before its other fields were there */
                return true;
        if (call->request.http_method == METHOD_GET)
                return choose_get(call);
        if (call->request.http_method != METHOD_POST)
                return false;
        if (call->request.is_grpc) /* with a query behind its path, which means nothing */
                return true;
        if (!fields_find(&call->request.fields, "content-type", &type))
                return false;
        media = find_media(media_type_cut(type));
        return media && suits(call, media) && take(call, media);
}
