/* SPDX-License-Identifier: MIT */
#include "codec/flat.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "upb/base/descriptor_constants.h"
#include "upb/base/string_view.h"
#include "upb/message/internal/accessors.h"
#include "upb/message/internal/message.h"
#include "upb/mini_table/field.h"
#include "upb/wire/types.h"

/*
 * upb's layout of messages and tables is upb's own affair. This file, tied to the upb in
 * subprojects/ as its encode.c is, reads it all the same: no public accessor gets at a value without
 * asking anew what kind of field it is in. UPB_PRIVATE() comes from here; last, as upb wants it.
 */
#include "upb/port/def.inc"

#define FLAT_INLINE static inline __attribute__((always_inline))

FLAT_INLINE uint64_t flat_load8(const void *data)
{
        uint8_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

FLAT_INLINE uint32_t flat_load32(const void *data)
{
        uint32_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

FLAT_INLINE uint64_t flat_load64(const void *data)
{
        uint64_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

FLAT_INLINE uintptr_t flat_load_pointer(const void *data)
{
        uintptr_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

FLAT_INLINE upb_StringView flat_load_string(const void *data)
{
        upb_StringView value;

        memcpy(&value, data, sizeof(value));
        return value;
}

FLAT_INLINE uint64_t flat_zigzag32(uint32_t value)
{
        return value << 1 ^ -(value >> 31);
}

FLAT_INLINE uint64_t flat_zigzag64(uint64_t value)
{
        return value << 1 ^ -(value >> 63);
}

/* What goes onto the wire as a varint is zero if and only if the field is. */
FLAT_INLINE uint64_t flat_varint(const upb_MiniTableField *field, const void *data)
{
        switch (field->UPB_PRIVATE(descriptortype)) {
        case kUpb_FieldType_Int32:
        case kUpb_FieldType_Enum:
                return (uint64_t)(int32_t)flat_load32(data);
        case kUpb_FieldType_UInt32:
                return flat_load32(data);
        case kUpb_FieldType_SInt32:
                return flat_zigzag32(flat_load32(data));
        case kUpb_FieldType_SInt64:
                return flat_zigzag64(flat_load64(data));
        case kUpb_FieldType_Bool:
                return flat_load8(data);
        case kUpb_FieldType_Int64:
        case kUpb_FieldType_UInt64:
                return flat_load64(data);
        default:
                __builtin_unreachable();
        }
}

/* An array or a map: the bit that is upb_MiniTableField_IsScalar() to them, without its mask. */
FLAT_INLINE bool flat_is_plural(const upb_MiniTableField *field)
{
        static_assert((kUpb_FieldMode_Scalar & ~(kUpb_FieldMode_Array | kUpb_FieldMode_Map)) == 2,
                "a bit that only scalars have");

        return __builtin_expect(!(field->UPB_ONLYBITS(mode) & kUpb_FieldMode_Scalar), false);
}

/* Whether @field is to be encoded; @value is what its bits, or a string's size, amount to. */
FLAT_INLINE bool flat_has(
        const upb_Message *message, const upb_MiniTableField *field, uint64_t value)
{
        const uint8_t *base = (const uint8_t *)message;
        int presence = field->presence;

        if (__builtin_expect(presence == 0, true))
                return value != 0;
        if (presence > 0) /* the index of a bit that says so */
                return base[presence / 8] >> presence % 8 & 1;
        /* The complement of where a oneof keeps the number of the member that is set. */
        return flat_load32(base + ~presence) == upb_MiniTableField_Number(field);
}

/* A byte for each 7 bits begun, without a branch: a stream's numbers may be of any length. */
FLAT_INLINE size_t flat_varint_size(uint64_t value)
{
        size_t highest_bit = (size_t)__builtin_clzll(value | 1) ^ 63;

        return (highest_bit * 9 + 73) / 64;
}

FLAT_INLINE size_t flat_tag_size(const upb_MiniTableField *field)
{
        uint32_t number = upb_MiniTableField_Number(field);

        return __builtin_expect(number < 16, true) ? 1 : flat_varint_size((uint64_t)number << 3);
}

/* A message without fields has no table of them. */
FLAT_INLINE const upb_MiniTableField *flat_fields_end(const upb_MiniTable *table)
{
        const upb_MiniTableField *fields = table->UPB_ONLYBITS(fields);

        return fields ? fields + table->UPB_ONLYBITS(field_count) : NULL;
}

bool flat_size(const upb_Message *message, const upb_MiniTable *table, size_t *ret_size)
{
        const upb_MiniTableField *field = table->UPB_ONLYBITS(fields);
        const upb_MiniTableField *end = flat_fields_end(table);
        size_t size = 0;

        /* Unknown fields and extensions; fields that upb has to look for. */
        if (UPB_PRIVATE(_upb_Message_GetInternal)(message) ||
                table->UPB_PRIVATE(required_count) > 0)
                return false;

        for (; field != end; field++) {
                const void *data = UPB_PRIVATE(_upb_Message_DataPtr)(message, field);
                uint64_t value;
                size_t body;

                if (flat_is_plural(field)) {
                        if (flat_load_pointer(data))
                                return false;
                        continue;
                }
                switch (field->UPB_PRIVATE(descriptortype)) {
                case kUpb_FieldType_Group:
                case kUpb_FieldType_Message:
                        if (flat_has(message, field, flat_load_pointer(data)))
                                return false;
                        continue;
                case kUpb_FieldType_Double:
                case kUpb_FieldType_Fixed64:
                case kUpb_FieldType_SFixed64:
                        value = flat_load64(data);
                        body = 8;
                        break;
                case kUpb_FieldType_Float:
                case kUpb_FieldType_Fixed32:
                case kUpb_FieldType_SFixed32:
                        value = flat_load32(data);
                        body = 4;
                        break;
                case kUpb_FieldType_String:
                case kUpb_FieldType_Bytes:
                        value = flat_load_string(data).size;
                        body = flat_varint_size(value) + value;
                        break;
                default:
                        value = flat_varint(field, data);
                        body = flat_varint_size(value);
                        break;
                }
                if (flat_has(message, field, value))
                        size += flat_tag_size(field) + body;
        }
        if (size > INT32_MAX)
                return false;
        *ret_size = size;
        return true;
}

FLAT_INLINE uint8_t *flat_put_varint(uint8_t *out, uint64_t value)
{
        while (__builtin_expect(value >= 0x80, false)) {
                *out++ = (uint8_t)(value | 0x80);
                value >>= 7;
        }
        *out++ = (uint8_t)value;
        return out;
}

FLAT_INLINE uint8_t *flat_put_tag(
        uint8_t *out, const upb_MiniTableField *field, upb_WireType wire_type)
{
        return flat_put_varint(out, upb_MiniTableField_Number(field) << 3 | (uint32_t)wire_type);
}

FLAT_INLINE uint8_t *flat_put_fixed32(uint8_t *out, uint32_t value)
{
        value = htole32(value);
        memcpy(out, &value, sizeof(value));
        return out + sizeof(value);
}

FLAT_INLINE uint8_t *flat_put_fixed64(uint8_t *out, uint64_t value)
{
        value = htole64(value);
        memcpy(out, &value, sizeof(value));
        return out + sizeof(value);
}

/* Short text is the rule, and a call of memcpy() for it a good part of the message's cost. */
FLAT_INLINE uint8_t *flat_put_bytes(uint8_t *out, const char *data, size_t size)
{
        if (size > 16) {
                memcpy(out, data, size);
        } else if (size >= 8) { /* two halves that may overlap */
                uint64_t head = flat_load64(data), tail = flat_load64(data + size - 8);

                memcpy(out, &head, 8);
                memcpy(out + size - 8, &tail, 8);
        } else if (size >= 4) {
                uint32_t head = flat_load32(data), tail = flat_load32(data + size - 4);

                memcpy(out, &head, 4);
                memcpy(out + size - 4, &tail, 4);
        } else {
                for (size_t i = 0; i < size; i++)
                        out[i] = (uint8_t)data[i];
        }
        return out + size;
}

FLAT_INLINE uint8_t *flat_put_string(uint8_t *out, upb_StringView value)
{
        out = flat_put_varint(out, value.size);
        return flat_put_bytes(out, value.data, value.size);
}

uint8_t *flat_write(uint8_t *out, const upb_Message *message, const upb_MiniTable *table)
{
        const upb_MiniTableField *field = table->UPB_ONLYBITS(fields);
        const upb_MiniTableField *end = flat_fields_end(table);

        for (; field != end; field++) {
                const void *data = UPB_PRIVATE(_upb_Message_DataPtr)(message, field);
                upb_StringView string;
                uint64_t value;

                if (flat_is_plural(field))
                        continue;
                switch (field->UPB_PRIVATE(descriptortype)) {
                case kUpb_FieldType_Group:
                case kUpb_FieldType_Message:
                        break;
                case kUpb_FieldType_Double:
                case kUpb_FieldType_Fixed64:
                case kUpb_FieldType_SFixed64:
                        value = flat_load64(data);
                        if (!flat_has(message, field, value))
                                break;
                        out = flat_put_tag(out, field, kUpb_WireType_64Bit);
                        out = flat_put_fixed64(out, value);
                        break;
                case kUpb_FieldType_Float:
                case kUpb_FieldType_Fixed32:
                case kUpb_FieldType_SFixed32:
                        value = flat_load32(data);
                        if (!flat_has(message, field, value))
                                break;
                        out = flat_put_tag(out, field, kUpb_WireType_32Bit);
                        out = flat_put_fixed32(out, (uint32_t)value);
                        break;
                case kUpb_FieldType_String:
                case kUpb_FieldType_Bytes:
                        string = flat_load_string(data);
                        if (!flat_has(message, field, string.size))
                                break;
                        out = flat_put_tag(out, field, kUpb_WireType_Delimited);
                        out = flat_put_string(out, string);
                        break;
                default:
                        value = flat_varint(field, data);
                        if (!flat_has(message, field, value))
                                break;
                        out = flat_put_tag(out, field, kUpb_WireType_Varint);
                        out = flat_put_varint(out, value);
                        break;
                }
        }
        return out;
}

#include "upb/port/undef.inc"
