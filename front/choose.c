/* SPDX-License-Identifier: MIT */
#include "front/choose.h"

#include <string.h>
#include <strings.h>

#include "call/dialect.h"
#include "front/grpc_web.h"

/* What a content type stands for. */
struct media {
        const char *type;
        const struct dialect *dialect;
        const struct message_codec *codec;
};

static const struct media *find_media(const char *type, size_t size)
{
        static const struct media all[] = {
                { "application/grpc", &dialect_grpc, NULL },
                { "application/grpc+proto", &dialect_grpc, NULL },
                { "application/grpc-web", &grpc_web, NULL },
                { "application/grpc-web+proto", &grpc_web, NULL },
                { "application/grpc-web-text", &grpc_web_text, NULL },
                { "application/grpc-web-text+proto", &grpc_web_text, NULL },
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
                if (strlen(all[i].type) == size && strncasecmp(all[i].type, type, size) == 0)
                        return all + i;
        return NULL;
}

/* The size of a media type without its parameters (RFC 9110, section 8.3.1). */
static size_t type_size(upb_StringView field)
{
        const char *end = field.size > 0 ? memchr(field.data, ';', field.size) : NULL;
        size_t size = end ? (size_t)(end - field.data) : field.size;

        while (size > 0 && (field.data[size - 1] == ' ' || field.data[size - 1] == '\t'))
                size--;
        return size;
}

static bool take(struct quoit_call *call, const struct media *media)
{
        struct front *front = call_make_front(call);

        if (!front)
                return false;
        front->dialect = media->dialect;
        front->codec = media->codec;
        front->content_type = media->type;
        return true;
}

bool front_choose(struct quoit_call *call)
{
        upb_StringView type;
        const struct media *media;

        if (!call->request.is_post)
                return false;
        if (call->request.is_grpc) /* with a query behind its path, which means nothing */
                return true;
        if (!fields_find(&call->request.fields, "content-type", &type))
                return false;
        media = find_media(type.data, type_size(type));
        return media && take(call, media);
}
