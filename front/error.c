/* SPDX-License-Identifier: MIT */
#include "front/error.h"

#include <string.h>

#include <quoit/json.h>

#include "codec/base64.h"
#include "codec/percent.h"
#include "front/json_codec.h"
#include "schema/schema.h"
#include "upb/wire/decode.h"

void error_add_message(struct text *text, const struct dialect_end *end)
{
        struct text decoded;

        text_init(&decoded);
        text_add(&decoded, end->text, end->text_size);
        decoded.size = percent_decode(decoded.data, decoded.data, decoded.size);
        text->failed |= decoded.failed;
        text_add_json(text, decoded.data, decoded.size);
        text_deinit(&decoded);
}

upb_StringView error_details(const struct dialect_end *end, struct text *ret_bytes)
{
        upb_StringView none = { "", 0 }, value;
        size_t size;

        text_init(ret_bytes);
        if (!end->trailers || !fields_find(end->trailers, RPC_STATUS_FIELD, &value))
                return none;
        text_add(ret_bytes, value.data, value.size);
        if (base64_decode((uint8_t *)ret_bytes->data, ret_bytes->data, ret_bytes->size, &size) < 0)
                return none;
        return upb_StringView_FromDataAndSize(ret_bytes->data, size);
}

upb_StringView error_detail_name(const struct rpc_detail *detail)
{
        upb_StringView url = detail->type;
        const char *slash = url.size > 0 ? memrchr(url.data, '/', url.size) : NULL;
        size_t skipped = slash ? (size_t)(slash + 1 - url.data) : 0;

        return upb_StringView_FromDataAndSize(url.data + skipped, url.size - skipped);
}

bool error_detail_print(struct quoit_call *call, const struct rpc_detail *detail, upb_Arena *arena,
        bool *ret_special, upb_StringView *ret_json)
{
        const quoit_schema *schema = json_types_schema(call_host_of(call)->json_types, NULL);
        upb_StringView name = error_detail_name(detail), value = detail->value;
        const upb_MessageDef *type;
        const upb_MiniTable *table;
        upb_Message *message;

        if (!schema || name.size == detail->type.size)
                return false;
        type = upb_DefPool_FindMessageByNameWithSize(schema_pool(schema), name.data, name.size);
        if (!type)
                return false;
        table = upb_MessageDef_MiniTable(type);
        message = upb_Message_New(table, arena);
        if (!message || upb_Decode(value.data, value.size, message, table, NULL, 0, arena) !=
                                kUpb_DecodeStatus_Ok)
                return false;
        *ret_special = upb_MessageDef_WellKnownType(type) != kUpb_WellKnown_Unspecified;
        return quoit_json_print(schema, message, table, 0, arena, ret_json, NULL) == 0;
}
