/* SPDX-License-Identifier: MIT */
#include "codec/encode.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#include "codec/encode_put.h"
#include "codec/encode_value.h"
#include "codec/framing.h"
#include "codec/message.h"
#include "codec/required.h"
#include "upb/base/descriptor_constants.h"
#include "upb/base/string_view.h"
#include "upb/message/array.h"
#include "upb/message/internal/accessors.h"
#include "upb/message/internal/message.h"
#include "upb/message/map.h"
#include "upb/mini_table/extension.h"
#include "upb/mini_table/field.h"
#include "upb/mini_table/message.h"
#include "upb/wire/internal/constants.h"

/*
 * upb's layout of messages and tables is private. This file uses it nevertheless, and so depends on the exact upb in
 * subprojects/: every public accessor would look up the kind of the field again. UPB_PRIVATE() is defined here; it must be the
 * last include.
 */
#include "upb/port/def.inc"

static uint8_t *encode_message(struct encoder *encoder, uint8_t *at, const upb_Message *message,
        const upb_MiniTable *table);

/* ---- single values ---- */

/* @is_text: its type is String. Strings that need not be UTF-8, as in proto2, are Bytes in upb's tables. */
ENCODE_INLINE uint8_t *encode_string(
        struct encoder *encoder, uint8_t *at, uint32_t number, upb_StringView string, bool is_text)
{
        at = encode_bytes(encoder, at, number, string.data, string.size, is_text);
        return encode_put_head(at, number, kUpb_WireType_Delimited, string.size);
}

/* A message's length is found by encoding it, which is why all this runs backwards. */
ENCODE_INLINE uint8_t *encode_submessage(struct encoder *encoder, uint8_t *at, uint32_t number,
        const upb_Message *message, const upb_MiniTable *table)
{
        size_t before = encode_written(encoder, at);

        at = encode_message(encoder, at, message, table);
        at = encode_room(encoder, at);
        return encode_put_head(
                at, number, kUpb_WireType_Delimited, encode_written(encoder, at) - before);
}

static uint8_t *encode_group(struct encoder *encoder, uint8_t *at, uint32_t number,
        const upb_Message *message, const upb_MiniTable *table)
{
        at = encode_room(encoder, at);
        at = encode_put_tag(at, number, kUpb_WireType_EndGroup);
        at = encode_message(encoder, at, message, table);
        at = encode_room(encoder, at);
        return encode_put_tag(at, number, kUpb_WireType_StartGroup);
}

/* Encodes the value at @data: if the field is set in @message, or always if @message is NULL. */
ENCODE_INLINE uint8_t *encode_scalar(struct encoder *encoder, uint8_t *at,
        const upb_MiniTableField *field, const upb_Message *message, const void *data)
{
        uint32_t number = upb_MiniTableField_Number(field);
        upb_FieldType type = (upb_FieldType)field->UPB_PRIVATE(descriptortype);
        const upb_MiniTable *table;
        const upb_Message *sub;
        upb_StringView string;
        uint64_t value;

        switch (type) {
        case kUpb_FieldType_Message:
        case kUpb_FieldType_Group:
                sub = encode_load_pointer(data);
                if (!sub || !encode_has(message, field, true))
                        return at;
                table = upb_MiniTable_GetSubMessageTable(field);
                if (type == kUpb_FieldType_Group)
                        return encode_group(encoder, at, number, sub, table);
                return encode_submessage(encoder, at, number, sub, table);
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
                value = encode_load64(data);
                if (!encode_has(message, field, value))
                        return at;
                at = encode_room(encoder, at);
                at = encode_put_fixed64(at, value);
                return encode_put_tag(at, number, kUpb_WireType_64Bit);
        case kUpb_FieldType_Float:
        case kUpb_FieldType_Fixed32:
        case kUpb_FieldType_SFixed32:
                value = encode_load32(data);
                if (!encode_has(message, field, value))
                        return at;
                at = encode_room(encoder, at);
                at = encode_put_fixed32(at, (uint32_t)value);
                return encode_put_tag(at, number, kUpb_WireType_32Bit);
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
                string = encode_load_string(data);
                if (!encode_has(message, field, string.size))
                        return at;
                return encode_string(encoder, at, number, string, type == kUpb_FieldType_String);
        default:
                value = encode_load_varint(type, data);
                if (!encode_has(message, field, value))
                        return at;
                at = encode_room(encoder, at);
                return encode_put_head(at, number, kUpb_WireType_Varint, value);
        }
}

static uint8_t *encode_value(
        struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field, const void *data)
{
        return encode_scalar(encoder, at, field, NULL, data);
}

/* ---- repeated fields ---- */

static uint8_t *encode_pack(struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field,
        size_t written_before)
{
        at = encode_room(encoder, at);
        return encode_put_head(at, upb_MiniTableField_Number(field), kUpb_WireType_Delimited,
                encode_written(encoder, at) - written_before);
}

/* One loop for each type: @type and @width are constants to the compiler. */
ENCODE_INLINE uint8_t *encode_varints(struct encoder *encoder, uint8_t *at,
        const upb_MiniTableField *field, const upb_Array *array, upb_FieldType type, size_t width)
{
        const uint8_t *data = upb_Array_DataPtr(array), *p = data + upb_Array_Size(array) * width;
        uint32_t number = upb_MiniTableField_Number(field);
        bool packed = upb_MiniTableField_IsPacked(field);
        size_t before = encode_written(encoder, at);

        while (p != data) {
                p -= width;
                at = encode_room(encoder, at);
                at = encode_put_varint(at, encode_load_varint(type, p));
                if (!packed)
                        at = encode_put_tag(at, number, kUpb_WireType_Varint);
        }
        return packed ? encode_pack(encoder, at, field, before) : at;
}

ENCODE_INLINE uint8_t *encode_fixeds(struct encoder *encoder, uint8_t *at,
        const upb_MiniTableField *field, const upb_Array *array, size_t width)
{
        const uint8_t *data = upb_Array_DataPtr(array), *p = data + upb_Array_Size(array) * width;
        upb_WireType wire_type = width == 8 ? kUpb_WireType_64Bit : kUpb_WireType_32Bit;
        size_t before = encode_written(encoder, at);

        static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "memory is as the wire is");
        if (upb_MiniTableField_IsPacked(field)) {
                at = encode_bytes_across(encoder, at, data, (size_t)(p - data));
                return encode_pack(encoder, at, field, before);
        }
        while (p != data) {
                p -= width;
                at = encode_room(encoder, at);
                at = memcpy(at - width, p, width);
                at = encode_put_tag(at, upb_MiniTableField_Number(field), wire_type);
        }
        return at;
}

static uint8_t *encode_strings(struct encoder *encoder, uint8_t *at,
        const upb_MiniTableField *field, const upb_Array *array)
{
        const upb_StringView *strings = upb_Array_DataPtr(array);
        uint32_t number = upb_MiniTableField_Number(field);
        bool is_text = field->UPB_PRIVATE(descriptortype) == kUpb_FieldType_String;

        for (size_t i = upb_Array_Size(array); i-- > 0;)
                at = encode_string(encoder, at, number, strings[i], is_text);
        return at;
}

static uint8_t *encode_messages(struct encoder *encoder, uint8_t *at,
        const upb_MiniTableField *field, const upb_Array *array)
{
        const upb_Message *const *messages = upb_Array_DataPtr(array);
        const upb_MiniTable *table = upb_MiniTable_GetSubMessageTable(field);
        uint32_t number = upb_MiniTableField_Number(field);

        for (size_t i = upb_Array_Size(array); i-- > 0;)
                at = encode_submessage(encoder, at, number, messages[i], table);
        return at;
}

static uint8_t *encode_groups(struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field,
        const upb_Array *array)
{
        const upb_Message *const *messages = upb_Array_DataPtr(array);
        const upb_MiniTable *table = upb_MiniTable_GetSubMessageTable(field);

        for (size_t i = upb_Array_Size(array); i-- > 0;)
                at = encode_group(
                        encoder, at, upb_MiniTableField_Number(field), messages[i], table);
        return at;
}

static uint8_t *encode_array(struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field,
        const upb_Array *array)
{
        upb_FieldType type = (upb_FieldType)field->UPB_PRIVATE(descriptortype);

        if (upb_Array_Size(array) == 0)
                return at;
        switch (type) {
        case kUpb_FieldType_Message:
                return encode_messages(encoder, at, field, array);
        case kUpb_FieldType_Group:
                return encode_groups(encoder, at, field, array);
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
                return encode_strings(encoder, at, field, array);
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
                return encode_fixeds(encoder, at, field, array, 8);
        case kUpb_FieldType_Float:
        case kUpb_FieldType_Fixed32:
        case kUpb_FieldType_SFixed32:
                return encode_fixeds(encoder, at, field, array, 4);
        case kUpb_FieldType_Int64:
        case kUpb_FieldType_UInt64:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_UInt64, 8);
        case kUpb_FieldType_SInt64:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_SInt64, 8);
        case kUpb_FieldType_Int32:
        case kUpb_FieldType_Enum:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_Int32, 4);
        case kUpb_FieldType_UInt32:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_UInt32, 4);
        case kUpb_FieldType_SInt32:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_SInt32, 4);
        case kUpb_FieldType_Bool:
                return encode_varints(encoder, at, field, array, kUpb_FieldType_Bool, 1);
        }
        __builtin_unreachable();
}

/* In the order of the hash table, like upb. An entry is a message, and counts as a level. */
static uint8_t *encode_map(
        struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field, const upb_Map *map)
{
        const upb_MiniTable *entry = upb_MiniTable_MapEntrySubMessage(field);
        size_t iterator = kUpb_Map_Begin;
        upb_MessageValue key, value;

        if (upb_Map_Size(map) == 0)
                return at;
        if (!ENCODE_LIKELY(encoder->depth-- > 0))
                return encode_fail(encoder, -E2BIG);
        while (upb_Map_Next(map, &key, &value, &iterator)) {
                size_t before = encode_written(encoder, at);

                at = encode_value(encoder, at, upb_MiniTable_MapValue(entry), &value);
                at = encode_value(encoder, at, upb_MiniTable_MapKey(entry), &key);
                at = encode_pack(encoder, at, field, before);
        }
        encode_leave(encoder, entry);
        return at;
}

static uint8_t *encode_plural(
        struct encoder *encoder, uint8_t *at, const upb_MiniTableField *field, const void *data)
{
        const void *plural = encode_load_pointer(data);

        if (!plural)
                return at;
        return upb_MiniTableField_IsMap(field) ? encode_map(encoder, at, field, plural)
                                               : encode_array(encoder, at, field, plural);
}

/* ---- extensions and unknown fields ---- */

/* group Item = 1 { int32 type_id = 2; bytes message = 3; } */
static uint8_t *encode_message_set_item(
        struct encoder *encoder, uint8_t *at, const upb_Extension *extension)
{
        at = encode_room(encoder, at);
        at = encode_put_tag(at, kUpb_MsgSet_Item, kUpb_WireType_EndGroup);
        at = encode_submessage(encoder, at, kUpb_MsgSet_Message, extension->data.msg_val,
                upb_MiniTableExtension_GetSubMessage(extension->ext));
        at = encode_room(encoder, at);
        at = encode_put_head(at, kUpb_MsgSet_TypeId, kUpb_WireType_Varint,
                upb_MiniTableExtension_Number(extension->ext));
        at = encode_room(encoder, at);
        return encode_put_tag(at, kUpb_MsgSet_Item, kUpb_WireType_StartGroup);
}

static uint8_t *encode_extension(struct encoder *encoder, uint8_t *at,
        const upb_Extension *extension, const upb_MiniTable *table)
{
        const upb_MiniTableField *field = &extension->ext->UPB_PRIVATE(field);

        if (upb_MiniTable_IsMessageSet(table))
                return encode_message_set_item(encoder, at, extension);
        return upb_MiniTableField_IsScalar(field)
                       ? encode_value(encoder, at, field, &extension->data)
                       : encode_plural(encoder, at, field, &extension->data);
}

/* After all fields: the extensions, then unknown fields that were received. */
static uint8_t *encode_extras(struct encoder *encoder, uint8_t *at,
        const upb_Message_Internal *extras, const upb_MiniTable *table)
{
        for (size_t i = extras->size; i-- > 0;) {
                upb_TaggedAuxPtr extra = extras->aux_data[i];

                if (upb_TaggedAuxPtr_IsUnknown(extra)) {
                        const upb_StringView *unknown = upb_TaggedAuxPtr_UnknownData(extra);

                        at = encode_bytes_across(encoder, at, unknown->data, unknown->size);
                }
        }
        for (size_t i = extras->size; i-- > 0;) {
                upb_TaggedAuxPtr extra = extras->aux_data[i];

                if (upb_TaggedAuxPtr_IsExtension(extra))
                        at = encode_extension(
                                encoder, at, upb_TaggedAuxPtr_Extension(extra), table);
        }
        return at;
}

/* ---- messages ---- */

static uint8_t *encode_fail_required(
        struct encoder *encoder, const upb_Message *message, const upb_MiniTable *table)
{
        if (!encoder->error)
                encoder->field = required_missing_number(message, table);
        encode_note_table(encoder, table);
        return encode_fail(encoder, -EINVAL);
}

static uint8_t *encode_message(struct encoder *encoder, uint8_t *at, const upb_Message *message,
        const upb_MiniTable *table)
{
        const upb_MiniTableField *fields = table->UPB_ONLYBITS(fields);
        const upb_Message_Internal *extras = UPB_PRIVATE(_upb_Message_GetInternal)(message);

        if (!ENCODE_LIKELY(encoder->depth-- > 0))
                return encode_fail(encoder, -E2BIG);
        if (!ENCODE_LIKELY(table->UPB_PRIVATE(required_count) == 0) &&
                !UPB_PRIVATE(_upb_Message_IsInitializedShallow)(message, table))
                return encode_fail_required(encoder, message, table);
        if (!ENCODE_LIKELY(!extras))
                at = encode_extras(encoder, at, extras, table);

        for (size_t i = table->UPB_ONLYBITS(field_count); i-- > 0;) {
                const upb_MiniTableField *field = &fields[i];
                const void *data = UPB_PRIVATE(_upb_Message_DataPtr)(message, field);

                if (ENCODE_LIKELY(upb_MiniTableField_IsScalar(field)))
                        at = encode_scalar(encoder, at, field, message, data);
                else
                        at = encode_plural(encoder, at, field, data);
        }
        encode_leave(encoder, table);
        return at;
}

int encode_framed(struct encoder *encoder, struct encode_block block, const upb_Message *message,
        const upb_MiniTable *table, uint8_t **ret_first, size_t *ret_size)
{
        uint8_t *at = block.end;
        size_t size;

        encoder->limit = block.start + ENCODE_HEAD_BYTES_MAX;
        encoder->origin = (uintptr_t)block.end;
        encoder->depth = 1 + MESSAGE_DEPTH_MAX; /* the message itself is not nested */
        encoder->error = 0;
        encoder->field_table = NULL;
        if (encoder->bytes_max > INT32_MAX)
                encoder->bytes_max = INT32_MAX;

        at = encode_message(encoder, at, message, table);
        size = encode_written(encoder, at);
        if (!encoder->error && size > encoder->bytes_max)
                encoder->error = -EMSGSIZE;
        at = encode_room(encoder, at);
        if (encoder->error)
                return encoder->error;
        at -= FRAMING_PREFIX_BYTES;
        framing_write_prefix(at, false, (uint32_t)size);
        *ret_first = at;
        *ret_size = FRAMING_PREFIX_BYTES + size;
        return 0;
}

#include "upb/port/undef.inc"
