/* SPDX-License-Identifier: MIT */
#include "codec/required.h"

#include "upb/message/accessors.h"
#include "upb/message/array.h"
#include "upb/message/internal/iterator.h"
#include "upb/message/internal/message.h"
#include "upb/message/map.h"

#include "upb/port/def.inc"

static bool missing_in_array(
        const upb_Array *array, const upb_MiniTable *table, struct field_place *ret_where)
{
        for (size_t i = 0; i < upb_Array_Size(array); i++)
                if (required_find_missing(upb_Array_Get(array, i).msg_val, table, ret_where))
                        return true;
        return false;
}

static bool missing_in_map(
        const upb_Map *map, const upb_MiniTable *entry, struct field_place *ret_where)
{
        const upb_MiniTableField *field = upb_MiniTable_MapValue(entry);
        size_t iterator = kUpb_Map_Begin;
        upb_MessageValue key, value;

        if (upb_MiniTableField_CType(field) != kUpb_CType_Message)
                return false;
        while (upb_Map_Next(map, &key, &value, &iterator))
                if (required_find_missing(
                            value.msg_val, upb_MiniTable_SubMessage(field), ret_where))
                        return true;
        return false;
}

/* Looks into the messages in the value of @field, which are of type @table. */
static bool missing_in_value(const upb_MiniTableField *field, upb_MessageValue value,
        const upb_MiniTable *table, struct field_place *ret_where)
{
        if (upb_MiniTableField_IsMap(field))
                return missing_in_map(value.map_val, table, ret_where);
        if (upb_MiniTableField_IsArray(field))
                return missing_in_array(value.array_val, table, ret_where);
        return required_find_missing(value.msg_val, table, ret_where);
}

/* In a field that holds messages. */
static bool missing_in_field(
        const upb_Message *message, const upb_MiniTableField *field, struct field_place *ret_where)
{
        const upb_MessageValue none = { .msg_val = NULL };
        upb_MessageValue value = upb_Message_GetField(message, field, none);

        return value.msg_val && /* or array_val, map_val: all are pointers */
               missing_in_value(field, value, upb_MiniTable_SubMessage(field), ret_where);
}

static bool missing_in_extensions(const upb_Message *message, struct field_place *ret_where)
{
        const upb_Message_Internal *extras = UPB_PRIVATE(_upb_Message_GetInternal)(message);

        for (size_t i = 0; extras && i < extras->size; i++) {
                upb_TaggedAuxPtr extra = extras->aux_data[i];
                const upb_Extension *extension;

                if (!upb_TaggedAuxPtr_IsExtension(extra))
                        continue;
                extension = upb_TaggedAuxPtr_Extension(extra);
                if (upb_MiniTableField_IsSubMessage(&extension->ext->UPB_PRIVATE(field)) &&
                        missing_in_value(&extension->ext->UPB_PRIVATE(field), extension->data,
                                upb_MiniTableExtension_GetSubMessage(extension->ext), ret_where))
                        return true;
        }
        return false;
}

uint32_t required_missing_number(const upb_Message *message, const upb_MiniTable *table)
{
        /* they have the first of the bits that say what is set, which are behind the message's head */
        int bits_end = 8 * (int)sizeof(upb_Message) + table->UPB_PRIVATE(required_count);

        if (!table->UPB_PRIVATE(required_count) ||
                UPB_PRIVATE(_upb_Message_IsInitializedShallow)(message, table))
                return 0;
        for (int i = 0; i < upb_MiniTable_FieldCount(table); i++) {
                const upb_MiniTableField *field = upb_MiniTable_GetFieldByIndex(table, (uint32_t)i);

                if (field->presence > 0 && field->presence < bits_end &&
                        !upb_Message_HasBaseField(message, field))
                        return upb_MiniTableField_Number(field);
        }
        __builtin_unreachable();
}

bool required_find_missing(
        const upb_Message *message, const upb_MiniTable *table, struct field_place *ret_where)
{
        uint32_t number = required_missing_number(message, table);

        if (number > 0) {
                *ret_where = (struct field_place){ table, number };
                return true;
        }
        /* all fields of the type, of which few hold messages: a peer can send many messages of a large type that are empty */
        for (int i = 0; i < upb_MiniTable_FieldCount(table); i++) {
                const upb_MiniTableField *field = upb_MiniTable_GetFieldByIndex(table, (uint32_t)i);

                if (upb_MiniTableField_IsSubMessage(field) &&
                        missing_in_field(message, field, ret_where))
                        return true;
        }
        return missing_in_extensions(message, ret_where);
}

#include "upb/port/undef.inc"
