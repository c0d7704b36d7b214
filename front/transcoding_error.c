/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <stdio.h>
#include <string.h>

#include <quoit/json.h>

#include "codec/base64.h"
#include "codec/percent.h"
#include "codec/status.h"
#include "codec/wire.h"
#include "front/connect_error.h"
#include "front/json_codec.h"
#include "front/text.h"
#include "schema/schema.h"
#include "upb/wire/decode.h"

static upb_StringView view(struct wire_cursor bytes)
{
        return upb_StringView_FromDataAndSize(
                (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

/*
 * The message that a detail is, as JSON; its type's name is behind the last slash of @url. False: it is not known, or it is
 * malformed.
 */
static bool print_detail(const quoit_schema *schema, upb_StringView url, upb_StringView value,
        upb_Arena *arena, const upb_MessageDef **ret_type, upb_StringView *ret_json)
{
        const char *slash = url.size > 0 ? memrchr(url.data, '/', url.size) : NULL;
        const upb_MessageDef *type;
        const upb_MiniTable *table;
        upb_Message *message;

        if (!schema || !slash)
                return false;
        slash++;
        type = upb_DefPool_FindMessageByNameWithSize(
                schema_pool(schema), slash, url.size - (size_t)(slash - url.data));
        if (!type)
                return false;
        table = upb_MessageDef_MiniTable(type);
        message = upb_Message_New(table, arena);
        if (!message || upb_Decode(value.data, value.size, message, table, NULL, 0, arena) !=
                                kUpb_DecodeStatus_Ok)
                return false;
        *ret_type = type;
        return quoit_json_print(schema, message, table, 0, arena, ret_json, NULL) == 0;
}

/* A google.protobuf.Any in JSON. If its type is not known, its bytes are a string of base64. */
static void add_detail(struct text *text, const quoit_schema *schema, struct wire_cursor any)
{
        struct wire_cursor url = { 0 }, value = { 0 };
        const upb_MessageDef *type;
        struct wire_field field;
        upb_StringView json;
        upb_Arena *arena = upb_Arena_New();

        while (wire_next(&any, &field)) {
                if (field.type == kUpb_WireType_Delimited && field.number == 1)
                        url = field.bytes;
                else if (field.type == kUpb_WireType_Delimited && field.number == 2)
                        value = field.bytes;
        }
        text_add_string(text, "{\"@type\":");
        text_add_json(text, view(url).data, view(url).size);
        if (!arena || !print_detail(schema, view(url), view(value), arena, &type, &json)) {
                text_add_string(text, ",\"value\":\"");
                text_add_base64(text, view(value).data, view(value).size, true);
                text_add_string(text, "\"}");
        } else if (upb_MessageDef_WellKnownType(type) != kUpb_WellKnown_Unspecified) {
                text_add_string(text, ",\"value\":");
                text_add(text, json.data, json.size);
                text_add_string(text, "}");
        } else {
                if (json.size > 2)
                        text_add_string(text, ",");
                text_add(text, json.data + 1, json.size - 1);
        }
        if (arena)
                upb_Arena_Free(arena);
}

/* The details of a google.rpc.Status. */
static void add_details(struct text *text, const quoit_schema *schema, struct wire_cursor status)
{
        struct wire_field field;
        bool any = false;

        while (wire_next(&status, &field)) {
                if (field.type != kUpb_WireType_Delimited || field.number != 3)
                        continue;
                if (any)
                        text_add_string(text, ",");
                add_detail(text, schema, field.bytes);
                any = true;
        }
}

static void add_details_field(
        struct text *text, const quoit_schema *schema, const struct field *field)
{
        struct text raw;
        size_t size;

        text_init(&raw);
        text_add(&raw, field->value, field->value_size);
        text->failed |= raw.failed;
        if (base64_decode((uint8_t *)raw.data, raw.data, raw.size, &size) == 0)
                add_details(text, schema,
                        (struct wire_cursor){ (uint8_t *)raw.data, (uint8_t *)raw.data + size });
        text_deinit(&raw);
}

static void add_message(struct text *text, const struct dialect_end *end)
{
        struct text raw;

        text_init(&raw);
        text_add(&raw, end->text, end->text_size);
        raw.size = percent_decode(raw.data, raw.data, raw.size);
        text->failed |= raw.failed;
        text_add_json(text, raw.data, raw.size);
        text_deinit(&raw);
}

void transcoding_error_add(
        struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        const struct field *field = end->trailers ? end->trailers->first : NULL;
        char code[16];

        snprintf(code, sizeof(code), "%d", (int)status_or_unknown(end->status));
        text_add_string(text, "{\"code\":");
        text_add_string(text, code);
        text_add_string(text, ",\"message\":");
        add_message(text, end);
        text_add_string(text, ",\"details\":[");
        while (field && !connect_is_details(field))
                field = field->next;
        if (field)
                add_details_field(
                        text, json_types_schema(call_host_of(call)->json_types, NULL), field);
        text_add_string(text, "]}");
}
