/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <stdio.h>
#include <string.h>

#include <quoit/json.h>

#include "codec/rpc_status.h"
#include "codec/status.h"
#include "front/error.h"
#include "front/json_codec.h"
#include "front/text.h"
#include "schema/schema.h"
#include "upb/wire/decode.h"

/*
 * The message that a detail is, as JSON; its type's name is behind the last slash of the URL. False: it is not known, or it is
 * malformed.
 */
static bool print_detail(const quoit_schema *schema, const struct rpc_detail *detail,
        upb_Arena *arena, const upb_MessageDef **ret_type, upb_StringView *ret_json)
{
        upb_StringView url = detail->type, value = detail->value;
        const char *slash = memrchr(url.data, '/', url.size);
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
static void add_detail(
        struct text *text, const quoit_schema *schema, const struct rpc_detail *detail)
{
        const upb_MessageDef *type;
        upb_StringView json;
        upb_Arena *arena = upb_Arena_New();

        text_add_string(text, "{\"@type\":");
        text_add_json(text, detail->type.data, detail->type.size);
        if (!arena || !print_detail(schema, detail, arena, &type, &json)) {
                text_add_string(text, ",\"value\":\"");
                text_add_base64(text, detail->value.data, detail->value.size, true);
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

static void add_details(
        struct text *text, const quoit_schema *schema, const struct dialect_end *end)
{
        struct text bytes;
        upb_StringView status = error_details(end, &bytes);
        struct rpc_detail detail;
        bool any = false;

        while (rpc_status_next_detail(&status, &detail)) {
                if (any)
                        text_add_string(text, ",");
                add_detail(text, schema, &detail);
                any = true;
        }
        text->failed |= bytes.failed;
        text_deinit(&bytes);
}

void transcoding_error_add(
        struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        char code[16];

        snprintf(code, sizeof(code), "%d", (int)status_or_unknown(end->status));
        text_add_string(text, "{\"code\":");
        text_add_string(text, code);
        text_add_string(text, ",\"message\":");
        error_add_message(text, end);
        text_add_string(text, ",\"details\":[");
        add_details(text, json_types_schema(call_host_of(call)->json_types, NULL), end);
        text_add_string(text, "]}");
}
