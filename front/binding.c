/* SPDX-License-Identifier: MIT */
#include "front/binding.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "front/scalar.h"
#include "schema/problem.h"
#include "upb/json/decode.h"
#include "upb/message/array.h"
#include "upb/reflection/message.h"

enum text_kind {
        TEXT_NONE, /* it has no text of its own */
        TEXT_SCALAR,
        TEXT_WRAPPER, /* the text is that of the field `value` */
        TEXT_JSON, /* the text is a string in JSON */
};

static enum text_kind kind_of(const upb_FieldDef *field)
{
        if (upb_FieldDef_IsMap(field))
                return TEXT_NONE;
        if (!upb_FieldDef_IsSubMessage(field))
                return TEXT_SCALAR;
        switch (upb_MessageDef_WellKnownType(upb_FieldDef_MessageSubDef(field))) {
        case kUpb_WellKnown_FieldMask:
        case kUpb_WellKnown_Duration:
        case kUpb_WellKnown_Timestamp:
                return TEXT_JSON;
        case kUpb_WellKnown_DoubleValue:
        case kUpb_WellKnown_FloatValue:
        case kUpb_WellKnown_Int64Value:
        case kUpb_WellKnown_UInt64Value:
        case kUpb_WellKnown_Int32Value:
        case kUpb_WellKnown_UInt32Value:
        case kUpb_WellKnown_StringValue:
        case kUpb_WellKnown_BytesValue:
        case kUpb_WellKnown_BoolValue:
                return TEXT_WRAPPER;
        default:
                return TEXT_NONE;
        }
}

int binding_check(const struct field_path *path, quoit_problem *ret_problem)
{
        const upb_FieldDef *field = field_path_leaf(path);

        if (kind_of(field) != TEXT_NONE)
                return 0;
        return problem_set(ret_problem, -EINVAL,
                "the field %s is a %s, which has no place in a URL", upb_FieldDef_FullName(field),
                upb_FieldDef_IsMap(field) ? "map" : "message");
}

/* What may stand between quotes in JSON as it is. These texts have nothing else. */
static bool is_plain(upb_StringView text)
{
        for (size_t i = 0; i < text.size; i++)
                if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == '"' ||
                        text.data[i] == '\\')
                        return false;
        return true;
}

static int parse_json(upb_Message *message, const upb_MessageDef *type, upb_StringView text,
        const upb_DefPool *pool, upb_Arena *arena)
{
        char *quoted;
        upb_Status status;

        if (!is_plain(text))
                return -EINVAL;
        quoted = upb_Arena_Malloc(arena, text.size + 2);
        if (!quoted)
                return -ENOMEM;
        quoted[0] = quoted[text.size + 1] = '"';
        memcpy(quoted + 1, text.data, text.size);
        upb_Status_Clear(&status);
        switch (upb_JsonDecodeDetectingNonconformance(
                quoted, text.size + 2, message, type, pool, 0, arena, &status)) {
        case kUpb_JsonDecodeResult_Ok:
                return 0;
        case kUpb_JsonDecodeResult_OutOfMemory:
                return -ENOMEM;
        default:
                return -EINVAL;
        }
}

static int parse_wrapper(
        upb_Message *message, const upb_MessageDef *type, upb_StringView text, upb_Arena *arena)
{
        const upb_FieldDef *field = upb_MessageDef_FindFieldByNumber(type, 1);
        upb_MessageValue value;
        int r = scalar_parse(field, text, arena, &value);

        if (r < 0)
                return r;
        return upb_Message_SetFieldByDef(message, field, value, arena) ? 0 : -ENOMEM;
}

static int parse_value(const upb_FieldDef *field, upb_StringView text, const upb_DefPool *pool,
        upb_Arena *arena, upb_MessageValue *ret_value)
{
        enum text_kind kind = kind_of(field);
        const upb_MessageDef *type;
        upb_Message *message;
        int r;

        if (kind == TEXT_SCALAR)
                return scalar_parse(field, text, arena, ret_value);
        type = upb_FieldDef_MessageSubDef(field);
        message = upb_Message_New(upb_MessageDef_MiniTable(type), arena);
        if (!message)
                return -ENOMEM;
        r = kind == TEXT_WRAPPER ? parse_wrapper(message, type, text, arena)
                                 : parse_json(message, type, text, pool, arena);
        if (r == 0)
                ret_value->msg_val = message;
        return r;
}

static int put(
        upb_Message *message, const upb_FieldDef *field, upb_MessageValue value, upb_Arena *arena)
{
        upb_Array *array;

        if (!upb_FieldDef_IsRepeated(field))
                return upb_Message_SetFieldByDef(message, field, value, arena) ? 0 : -ENOMEM;
        array = upb_Message_Mutable(message, field, arena).array;
        return array && upb_Array_Append(array, value, arena) ? 0 : -ENOMEM;
}

int binding_set(upb_Message *message, const struct field_path *path, upb_StringView text,
        const upb_DefPool *pool, upb_Arena *arena, quoit_problem *ret_problem)
{
        const upb_FieldDef *leaf = field_path_leaf(path);
        upb_MessageValue value;
        int r = binding_check(path, ret_problem);

        if (r < 0)
                return r;
        r = parse_value(leaf, text, pool, arena, &value);
        if (r == -EINVAL)
                return problem_set(ret_problem, r, "\"%.*s\" is no value of the field %s",
                        (int)(text.size < 64 ? text.size : 64), text.data,
                        upb_FieldDef_FullName(leaf));
        for (unsigned i = 0; r == 0 && i + 1 < path->count; i++) {
                message = upb_Message_Mutable(message, path->fields[i], arena).msg;
                if (!message)
                        r = -ENOMEM;
        }
        if (r == 0)
                r = put(message, leaf, value, arena);
        return r == -ENOMEM
                       ? problem_set(ret_problem, r, "out of memory, or over the budget for it")
                       : r;
}
