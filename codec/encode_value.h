/* SPDX-License-Identifier: MIT */
#pragma once

/* How both encoders read a field's value in a upb message. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "upb/base/descriptor_constants.h"
#include "upb/base/string_view.h"
#include "upb/message/message.h"
#include "upb/mini_table/field.h"

#define ENCODE_INLINE static inline __attribute__((always_inline))
#define ENCODE_LIKELY(condition) __builtin_expect(!!(condition), true)

ENCODE_INLINE uint8_t encode_load8(const void *data)
{
        return *(const uint8_t *)data;
}

ENCODE_INLINE uint32_t encode_load32(const void *data)
{
        uint32_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

ENCODE_INLINE uint64_t encode_load64(const void *data)
{
        uint64_t value;

        memcpy(&value, data, sizeof(value));
        return value;
}

ENCODE_INLINE uint64_t encode_zigzag32(uint32_t value)
{
        return value << 1 ^ -(value >> 31);
}

ENCODE_INLINE uint64_t encode_zigzag64(uint64_t value)
{
        return value << 1 ^ -(value >> 63);
}

/* The varint on the wire is zero if and only if the field is. */
ENCODE_INLINE uint64_t encode_load_varint(upb_FieldType type, const void *data)
{
        switch (type) {
        case kUpb_FieldType_Int32:
        case kUpb_FieldType_Enum:
                return (uint64_t)(int32_t)encode_load32(data);
        case kUpb_FieldType_UInt32:
                return encode_load32(data);
        case kUpb_FieldType_SInt32:
                return encode_zigzag32(encode_load32(data));
        case kUpb_FieldType_SInt64:
                return encode_zigzag64(encode_load64(data));
        case kUpb_FieldType_Bool:
                return encode_load8(data);
        case kUpb_FieldType_Int64:
        case kUpb_FieldType_UInt64:
                return encode_load64(data);
        default:
                __builtin_unreachable();
        }
}

ENCODE_INLINE upb_StringView encode_load_string(const void *data)
{
        upb_StringView value;

        memcpy(&value, data, sizeof(value));
        return value;
}

ENCODE_INLINE const void *encode_load_pointer(const void *data)
{
        const void *value;

        memcpy(&value, data, sizeof(value));
        return value;
}

/* Whether @field of @message has to be encoded; @value: the number's bits, or the string's size. */
ENCODE_INLINE bool encode_has(
        const upb_Message *message, const upb_MiniTableField *field, uint64_t value)
{
        const uint8_t *base = (const uint8_t *)message;
        int presence = field->presence;

        if (!message)
                return true;
        if (ENCODE_LIKELY(presence == 0))
                return value != 0;
        if (presence > 0) /* the index of a bit that says so */
                return base[presence / 8] >> presence % 8 & 1;
        /* The complement of the offset at which a oneof stores the number of its set member. */
        return encode_load32(base + ~presence) == upb_MiniTableField_Number(field);
}
