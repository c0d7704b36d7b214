/* SPDX-License-Identifier: MIT */
#include "codec/required.h"

#include "upb/message/accessors.h"
#include "upb/message/array.h"
#include "upb/message/internal/iterator.h"
#include "upb/message/internal/message.h"
#include "upb/message/map.h"

#include "upb/port/def.inc"

static bool required_in_array(const upb_Array *array, const upb_MiniTable *table)
{
        for (size_t i = 0; i < upb_Array_Size(array); i++)
                if (!required_are_set(upb_Array_Get(array, i).msg_val, table))
                        return false;
        return true;
}

static bool required_in_map(const upb_Map *map, const upb_MiniTable *entry)
{
        const upb_MiniTableField *field = upb_MiniTable_MapValue(entry);
        size_t iterator = kUpb_Map_Begin;
        upb_MessageValue key, value;

        if (upb_MiniTableField_CType(field) != kUpb_CType_Message)
                return true;
        while (upb_Map_Next(map, &key, &value, &iterator))
                if (!required_are_set(value.msg_val, upb_MiniTable_SubMessage(field)))
                        return false;
        return true;
}

/* Checks the messages in the value of @field, which are of type @table. */
static bool required_in_value(
        const upb_MiniTableField *field, upb_MessageValue value, const upb_MiniTable *table)
{
        if (upb_MiniTableField_CType(field) != kUpb_CType_Message)
                return true;
        if (upb_MiniTableField_IsMap(field))
                return required_in_map(value.map_val, table);
        if (upb_MiniTableField_IsArray(field))
                return required_in_array(value.array_val, table);
        return required_are_set(value.msg_val, table);
}

static bool required_in_extensions(const upb_Message *message)
{
        const upb_Message_Internal *extras = UPB_PRIVATE(_upb_Message_GetInternal)(message);

        for (size_t i = 0; extras && i < extras->size; i++) {
                upb_TaggedAuxPtr extra = extras->aux_data[i];
                const upb_Extension *extension;

                if (!upb_TaggedAuxPtr_IsExtension(extra))
                        continue;
                extension = upb_TaggedAuxPtr_Extension(extra);
                if (!required_in_value(&extension->ext->UPB_PRIVATE(field), extension->data,
                            upb_MiniTableExtension_GetSubMessage(extension->ext)))
                        return false;
        }
        return true;
}

bool required_are_set(const upb_Message *message, const upb_MiniTable *table)
{
        const upb_MiniTableField *field;
        upb_MessageValue value;
        size_t iterator = kUpb_BaseField_Begin;

        if (table->UPB_PRIVATE(required_count) &&
                !UPB_PRIVATE(_upb_Message_IsInitializedShallow)(message, table))
                return false;
        while (UPB_PRIVATE(_upb_Message_NextBaseField)(message, table, &field, &value, &iterator))
                if (!required_in_value(field, value, upb_MiniTable_SubMessage(field)))
                        return false;
        return required_in_extensions(message);
}

#include "upb/port/undef.inc"
