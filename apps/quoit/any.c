/* SPDX-License-Identifier: MIT */
#include "any.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "google/protobuf/descriptor.upb.h"
#include "source_parts.h"
#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/reflection/message.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#define DEPTH_MAX 100 /* of messages in each other, as upb has it */
#define NAME_BYTES 512

struct walk {
        struct source *source;
        upb_Arena *arena;
        bool has_changed; /* something in the Any that is looked at */
};

static int resolve(
        struct walk *walk, const upb_MessageDef *type, upb_Message *message, unsigned depth);

/* ---- an Any ---- */

/* A type of that name with a field for its bytes, which JSON calls "@value". */
static const upb_MessageDef *make_unknown(struct walk *walk, const char *name)
{
        const char *dot = strrchr(name, '.');
        google_protobuf_FileDescriptorProto *file =
                google_protobuf_FileDescriptorProto_new(walk->arena);
        google_protobuf_DescriptorProto *message;
        google_protobuf_FieldDescriptorProto *field;
        upb_Status status;

        upb_Status_Clear(&status);
        message = file ? google_protobuf_FileDescriptorProto_add_message_type(file, walk->arena)
                       : NULL;
        field = message ? google_protobuf_DescriptorProto_add_field(message, walk->arena) : NULL;
        if (!field)
                return NULL;
        google_protobuf_FileDescriptorProto_set_name(file, upb_StringView_FromString(name));
        google_protobuf_FileDescriptorProto_set_syntax(file, upb_StringView_FromString("proto3"));
        if (dot)
                google_protobuf_FileDescriptorProto_set_package(
                        file, upb_StringView_FromDataAndSize(name, (size_t)(dot - name)));
        google_protobuf_DescriptorProto_set_name(
                message, upb_StringView_FromString(dot ? dot + 1 : name));
        google_protobuf_FieldDescriptorProto_set_name(field, upb_StringView_FromString("value"));
        google_protobuf_FieldDescriptorProto_set_json_name(
                field, upb_StringView_FromString("@value"));
        google_protobuf_FieldDescriptorProto_set_number(field, 1);
        google_protobuf_FieldDescriptorProto_set_type(
                field, google_protobuf_FieldDescriptorProto_TYPE_BYTES);
        google_protobuf_FieldDescriptorProto_set_label(
                field, google_protobuf_FieldDescriptorProto_LABEL_OPTIONAL);
        if (!upb_DefPool_AddFile(walk->source->pool, file, &status))
                return NULL;
        return upb_DefPool_FindMessageByName(walk->source->pool, name);
}

static int set_bytes(struct walk *walk, upb_Message *any, const upb_FieldDef *field,
        const upb_Message *message, const upb_MessageDef *type)
{
        upb_MessageValue value;
        char *bytes;

        if (upb_Encode(message, upb_MessageDef_MiniTable(type), 0, walk->arena, &bytes,
                    &value.str_val.size) != kUpb_EncodeStatus_Ok)
                return -ENOMEM;
        value.str_val.data = bytes;
        walk->has_changed = true;
        return upb_Message_SetFieldByDef(any, field, value, walk->arena) ? 0 : -ENOMEM;
}

/* Its bytes become the one field of the type that was made for it. */
static int wrap(
        struct walk *walk, upb_Message *any, const upb_FieldDef *field, const upb_MessageDef *type)
{
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), walk->arena);

        if (!message || !upb_Message_SetFieldByDef(message, upb_MessageDef_Field(type, 0),
                                upb_Message_GetFieldByDef(any, field), walk->arena))
                return -ENOMEM;
        return set_bytes(walk, any, field, message, type);
}

/* What is in it, which may have Anys too. Bytes that are no such message stay, and JSON says so. */
static int resolve_inside(struct walk *walk, upb_Message *any, const upb_FieldDef *field,
        const upb_MessageDef *type, unsigned depth)
{
        upb_StringView bytes = upb_Message_GetFieldByDef(any, field).str_val;
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), walk->arena);
        bool had_changed = walk->has_changed;
        int r;

        if (!message)
                return -ENOMEM;
        if (upb_Decode(bytes.data, bytes.size, message, upb_MessageDef_MiniTable(type),
                    upb_DefPool_ExtensionRegistry(walk->source->pool), 0,
                    walk->arena) != kUpb_DecodeStatus_Ok)
                return 0;
        walk->has_changed = false;
        r = resolve(walk, type, message, depth + 1);
        if (r == 0 && walk->has_changed)
                r = set_bytes(walk, any, field, message, type);
        walk->has_changed |= had_changed;
        return r;
}

/* A type that was made for an unknown one before. */
static bool is_unknown(const upb_MessageDef *type)
{
        return !strcmp(upb_FileDef_Name(upb_MessageDef_File(type)), upb_MessageDef_FullName(type));
}

static int resolve_any(
        struct walk *walk, const upb_MessageDef *type, upb_Message *any, unsigned depth)
{
        const upb_FieldDef *url_field = upb_MessageDef_FindFieldByNumber(type, 1);
        const upb_FieldDef *field = upb_MessageDef_FindFieldByNumber(type, 2);
        upb_StringView url = upb_Message_GetFieldByDef(any, url_field).str_val;
        const char *slash = url.size ? memrchr(url.data, '/', url.size) : NULL;
        const upb_MessageDef *inside;
        char name[NAME_BYTES];

        if (!slash)
                return 0;
        if (snprintf(name, sizeof(name), "%.*s", (int)(url.data + url.size - slash - 1),
                    slash + 1) >= (int)sizeof(name))
                return 0;
        inside = source_message(walk->source, name);
        if (inside && !is_unknown(inside))
                return resolve_inside(walk, any, field, inside, depth);
        if (!inside)
                inside = make_unknown(walk, name);
        return inside ? wrap(walk, any, field, inside) : 0;
}

/* ---- a message ---- */

static int resolve_field(
        struct walk *walk, const upb_FieldDef *field, upb_MessageValue value, unsigned depth)
{
        const upb_MessageDef *type = upb_FieldDef_MessageSubDef(field);
        upb_MessageValue key, one;
        size_t iterator = kUpb_Map_Begin;
        int r = 0;

        if (!upb_FieldDef_IsRepeated(field))
                return resolve(walk, type, (upb_Message *)value.msg_val, depth + 1);
        if (!upb_FieldDef_IsMap(field)) {
                for (size_t i = 0; r == 0 && i < upb_Array_Size(value.array_val); i++)
                        r = resolve(walk, type,
                                (upb_Message *)upb_Array_Get(value.array_val, i).msg_val,
                                depth + 1);
                return r;
        }
        type = upb_FieldDef_MessageSubDef(upb_MessageDef_FindFieldByNumber(type, 2));
        while (r == 0 && type && upb_Map_Next(value.map_val, &key, &one, &iterator))
                r = resolve(walk, type, (upb_Message *)one.msg_val, depth + 1);
        return r;
}

static int resolve(
        struct walk *walk, const upb_MessageDef *type, upb_Message *message, unsigned depth)
{
        size_t iterator = (size_t)kUpb_Message_Begin;
        const upb_FieldDef *field;
        upb_MessageValue value;
        int r = 0;

        if (depth > DEPTH_MAX)
                return 0;
        if (upb_MessageDef_WellKnownType(type) == kUpb_WellKnown_Any)
                return resolve_any(walk, type, message, depth);
        while (r == 0 &&
                upb_Message_Next(message, type, walk->source->pool, &field, &value, &iterator))
                if (upb_FieldDef_IsSubMessage(field))
                        r = resolve_field(walk, field, value, depth);
        return r;
}

int any_resolve(
        struct source *source, const upb_MessageDef *type, upb_Message *message, upb_Arena *arena)
{
        struct walk walk = { source, arena, false };

        return resolve(&walk, type, message, 0);
}
