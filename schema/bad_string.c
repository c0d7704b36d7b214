/* SPDX-License-Identifier: MIT */
#include "schema/bad_string.h"

#include <stdbool.h>
#include <utf8_range.h>

#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/reflection/message.h"

/* In one value of the field @f: the field itself, or one of what is in it. NULL: all is well. */
static const upb_FieldDef *find_in_value(
        upb_MessageValue value, const upb_FieldDef *f, const upb_DefPool *pool)
{
        switch (upb_FieldDef_CType(f)) {
        case kUpb_CType_String:
                return utf8_range_IsValid(value.str_val.data, value.str_val.size) ? NULL : f;
        case kUpb_CType_Message:
                return bad_string_find(value.msg_val, upb_FieldDef_MessageSubDef(f), pool);
        default:
                return NULL;
        }
}

static const upb_FieldDef *find_in_array(
        const upb_Array *array, const upb_FieldDef *f, const upb_DefPool *pool)
{
        const upb_FieldDef *bad = NULL;

        for (size_t i = 0; !bad && i < upb_Array_Size(array); i++)
                bad = find_in_value(upb_Array_Get(array, i), f, pool);
        return bad;
}

static const upb_FieldDef *find_in_map(
        const upb_Map *map, const upb_FieldDef *f, const upb_DefPool *pool)
{
        const upb_MessageDef *entry = upb_FieldDef_MessageSubDef(f);
        const upb_FieldDef *key_field = upb_MessageDef_FindFieldByNumber(entry, 1);
        const upb_FieldDef *value_field = upb_MessageDef_FindFieldByNumber(entry, 2);
        const upb_FieldDef *bad = NULL;
        upb_MessageValue key, value;
        size_t iterator = kUpb_Map_Begin;

        while (!bad && upb_Map_Next(map, &key, &value, &iterator)) {
                bad = find_in_value(key, key_field, pool);
                if (!bad)
                        bad = find_in_value(value, value_field, pool);
        }
        return bad;
}

const upb_FieldDef *bad_string_find(
        const upb_Message *message, const upb_MessageDef *type, const upb_DefPool *pool)
{
        size_t iterator = (size_t)kUpb_Message_Begin;
        const upb_FieldDef *f, *bad = NULL;
        upb_MessageValue value;

        while (!bad && upb_Message_Next(message, type, pool, &f, &value, &iterator)) {
                if (upb_FieldDef_IsMap(f))
                        bad = find_in_map(value.map_val, f, pool);
                else if (upb_FieldDef_IsRepeated(f))
                        bad = find_in_array(value.array_val, f, pool);
                else
                        bad = find_in_value(value, f, pool);
        }
        return bad;
}
