/* SPDX-License-Identifier: MIT */
#include "codec/decode_flat.h"

#include <endian.h>
#include <string.h>

#include "upb/base/string_view.h"
#include "upb/message/internal/accessors.h"
#include "upb/mini_table/field.h"
#include "upb/wire/types.h"

#include "upb/port/def.inc" /* last: UPB_PRIVATE(), for the reason that encode.c has */

#define FLAT_INLINE static inline __attribute__((always_inline))
#define FLAT_LIKELY(condition) __builtin_expect(!!(condition), true)
#define VARINT_BYTES_MAX 10

/* These functions read at @at, before @end, and return the end of what they have read. NULL: it is for upb. */

static const uint8_t *read_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
        uint64_t value = 0;

        if (end - at > VARINT_BYTES_MAX)
                end = at + VARINT_BYTES_MAX;
        for (unsigned shift = 0; at < end; shift += 7) {
                uint8_t byte = *at++;

                if (shift == 63 && byte > 1)
                        return NULL;
                value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80) {
                        *ret_value = value;
                        return at;
                }
        }
        return NULL;
}

FLAT_INLINE const uint8_t *read_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
        if (!FLAT_LIKELY(at < end))
                return NULL;
        if (FLAT_LIKELY(*at < 0x80)) {
                *ret_value = *at;
                return at + 1;
        }
        return read_long_varint(at, end, ret_value);
}

/* Eight bytes at a time; the last eight may overlap those before. */
FLAT_INLINE bool is_ascii(const uint8_t *data, size_t size)
{
        uint64_t bits = 0, eight;
        uint32_t four;

        if (size >= 8) {
                for (size_t i = 0; i + 8 < size; i += 8) {
                        memcpy(&eight, data + i, sizeof(eight));
                        bits |= eight;
                }
                memcpy(&eight, data + size - 8, sizeof(eight));
                bits |= eight;
        } else if (size >= 4) {
                memcpy(&four, data, sizeof(four));
                bits = four;
                memcpy(&four, data + size - 4, sizeof(four));
                bits |= four;
        } else {
                for (size_t i = 0; i < size; i++)
                        bits |= data[i];
        }
        return !(bits & UINT64_C(0x8080808080808080));
}

/* A length is 31 bits in 5 bytes at most, and here it is of a short message: two bytes are enough. */
FLAT_INLINE const uint8_t *read_size(const uint8_t *at, const uint8_t *end, size_t *ret_size)
{
        if (!FLAT_LIKELY(at < end))
                return NULL;
        *ret_size = *at++;
        if (FLAT_LIKELY(*ret_size < 0x80))
                return at;
        if (at == end || *at >= 0x80)
                return NULL;
        *ret_size = (*ret_size & 0x7f) | (size_t)*at++ << 7;
        return at;
}

FLAT_INLINE const uint8_t *read_string(
        const uint8_t *at, const uint8_t *end, bool is_text, void *place)
{
        upb_StringView string;
        size_t size;

        at = read_size(at, end, &size);
        if (!at || size > (size_t)(end - at) || (is_text && !is_ascii(at, size)))
                return NULL;
        string = upb_StringView_FromDataAndSize((const char *)at, size);
        memcpy(place, &string, sizeof(string));
        return at + size;
}

FLAT_INLINE const uint8_t *read_fixed32(const uint8_t *at, const uint8_t *end, void *place)
{
        uint32_t value;

        if (end - at < (ptrdiff_t)sizeof(value))
                return NULL;
        memcpy(&value, at, sizeof(value));
        value = le32toh(value);
        memcpy(place, &value, sizeof(value));
        return at + sizeof(value);
}

FLAT_INLINE const uint8_t *read_fixed64(const uint8_t *at, const uint8_t *end, void *place)
{
        uint64_t value;

        if (end - at < (ptrdiff_t)sizeof(value))
                return NULL;
        memcpy(&value, at, sizeof(value));
        value = le64toh(value);
        memcpy(place, &value, sizeof(value));
        return at + sizeof(value);
}

FLAT_INLINE void put32(void *place, uint32_t value)
{
        memcpy(place, &value, sizeof(value));
}

/* A number that travels as a varint. */
FLAT_INLINE const uint8_t *read_number(
        const uint8_t *at, const uint8_t *end, upb_FieldType type, void *place)
{
        uint64_t value;

        at = read_varint(at, end, &value);
        if (!at)
                return NULL;
        switch (type) {
        case kUpb_FieldType_Bool:
                *(bool *)place = value != 0;
                return at;
        case kUpb_FieldType_SInt32:
                put32(place, (uint32_t)value >> 1 ^ -((uint32_t)value & 1));
                return at;
        case kUpb_FieldType_Int32:
        case kUpb_FieldType_UInt32:
                put32(place, (uint32_t)value);
                return at;
        case kUpb_FieldType_SInt64:
                value = value >> 1 ^ -(value & 1);
                break;
        default:
                break;
        }
        memcpy(place, &value, sizeof(value));
        return at;
}

FLAT_INLINE const uint8_t *read_value(const uint8_t *at, const uint8_t *end, upb_WireType wire_type,
        upb_FieldType type, void *place)
{
        switch (type) {
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
                return wire_type == kUpb_WireType_64Bit ? read_fixed64(at, end, place) : NULL;
        case kUpb_FieldType_Float:
        case kUpb_FieldType_Fixed32:
        case kUpb_FieldType_SFixed32:
                return wire_type == kUpb_WireType_32Bit ? read_fixed32(at, end, place) : NULL;
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
                return wire_type == kUpb_WireType_Delimited
                               ? read_string(at, end, type == kUpb_FieldType_String, place)
                               : NULL;
        case kUpb_FieldType_Message:
        case kUpb_FieldType_Group:
        case kUpb_FieldType_Enum: /* a closed one; what is not in it is an unknown field */
                return NULL;
        default:
                return wire_type == kUpb_WireType_Varint ? read_number(at, end, type, place) : NULL;
        }
}

/* A field of a oneof, with a presence below 0, may replace another one. */
FLAT_INLINE bool is_flat(const upb_MiniTableField *field)
{
        return upb_MiniTableField_IsScalar(field) && field->presence >= 0;
}

bool decode_flat(const uint8_t *data, size_t size, upb_Message *message, const upb_MiniTable *table)
{
        const upb_MiniTableField *fields = table->UPB_ONLYBITS(fields), *field;
        const uint8_t *at = data, *end = data + size;
        uint32_t index;

        if (table->UPB_PRIVATE(required_count) > 0)
                return false;
        while (at < end) {
                upb_WireType wire_type = (upb_WireType)(*at & 7);

                index = (uint32_t)(*at >> 3) - 1; /* field 0: beyond all */
                if (!FLAT_LIKELY(*at++ < 0x80 && index < table->UPB_PRIVATE(dense_below)))
                        return false;
                field = fields + index;
                if (!FLAT_LIKELY(is_flat(field)))
                        return false;
                at = read_value(at, end, wire_type,
                        (upb_FieldType)field->UPB_PRIVATE(descriptortype),
                        UPB_PRIVATE(_upb_Message_MutableDataPtr)(message, field));
                if (!FLAT_LIKELY(at != NULL))
                        return false;
                if (field->presence > 0)
                        UPB_PRIVATE(_upb_Message_SetHasbit)(message, field);
        }
        return true;
}

#include "upb/port/undef.inc"
