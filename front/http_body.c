/* SPDX-License-Identifier: MIT */
#include "front/http_body.h"

#include <errno.h>
#include <string.h>

#include "upb/reflection/message.h"

enum { CONTENT_TYPE = 1, DATA = 2 }; /* numbers of fields */

static bool is_single(const upb_FieldDef *field, upb_CType type)
{
        return field && upb_FieldDef_CType(field) == type && !upb_FieldDef_IsRepeated(field);
}

bool http_body_is(const upb_MessageDef *type)
{
        return strcmp(upb_MessageDef_FullName(type), "google.api.HttpBody") == 0 &&
               is_single(upb_MessageDef_FindFieldByNumber(type, CONTENT_TYPE), kUpb_CType_String) &&
               is_single(upb_MessageDef_FindFieldByNumber(type, DATA), kUpb_CType_Bytes);
}

static int set(
        upb_Message *message, const upb_FieldDef *field, upb_StringView value, upb_Arena *arena)
{
        char *copy;

        if (value.size == 0)
                return 0;
        copy = upb_Arena_Malloc(arena, value.size);
        if (!copy)
                return -ENOMEM;
        value.data = memcpy(copy, value.data, value.size);
        return upb_Message_SetFieldByDef(
                       message, field, (upb_MessageValue){ .str_val = value }, arena)
                       ? 0
                       : -ENOMEM;
}

int http_body_set(upb_Message *message, const upb_MessageDef *type, const struct http_body *body,
        upb_Arena *arena)
{
        int r = set(message, upb_MessageDef_FindFieldByNumber(type, CONTENT_TYPE),
                body->content_type, arena);

        return r == 0 ? set(message, upb_MessageDef_FindFieldByNumber(type, DATA), body->data,
                                arena)
                      : r;
}

struct http_body http_body_of(const upb_Message *message, const upb_MessageDef *type)
{
        const upb_FieldDef *content_type = upb_MessageDef_FindFieldByNumber(type, CONTENT_TYPE);
        const upb_FieldDef *data = upb_MessageDef_FindFieldByNumber(type, DATA);

        return (struct http_body){
                .content_type = upb_Message_GetFieldByDef(message, content_type).str_val,
                .data = upb_Message_GetFieldByDef(message, data).str_val,
        };
}
