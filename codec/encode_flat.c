/* SPDX-License-Identifier: MIT */
#include "codec/encode_flat.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>

#include "codec/copy.h"
#include "codec/encode_value.h"
#include "codec/framing.h"
#include "codec/utf8.h"
#include "upb/message/internal/accessors.h"
#include "upb/message/internal/message.h"
#include "upb/wire/types.h"

#include "upb/port/def.inc" /* last: UPB_PRIVATE(), for the reason that encode.c has */

#define HEAD_BYTES_MAX ((size_t)15) /* a tag and the longest varint */

/* These functions write at @at, where there is room for HEAD_BYTES_MAX, and return the end of the output. */

ENCODE_INLINE uint8_t *flat_put32(uint8_t *at, uint32_t value)
{
        value = htole32(value);
        memcpy(at, &value, sizeof(value));
        return at + sizeof(value);
}

ENCODE_INLINE uint8_t *flat_put64(uint8_t *at, uint64_t value)
{
        value = htole64(value);
        memcpy(at, &value, sizeof(value));
        return at + sizeof(value);
}

ENCODE_INLINE uint8_t *flat_put_varint(uint8_t *at, uint64_t value)
{
        for (; value >= 0x80; value >>= 7)
                *at++ = (uint8_t)(value | 0x80);
        *at++ = (uint8_t)value;
        return at;
}

/* The tags of fields 1 to 15 are one byte, and most values are one or two: no loop, and one store. */
ENCODE_INLINE uint8_t *flat_put_head(
        uint8_t *at, uint32_t number, upb_WireType wire_type, uint64_t value)
{
        uint32_t tag = number << 3 | (uint32_t)wire_type;

        if (ENCODE_LIKELY(tag < 1 << 7)) {
                if (value < 1 << 7) {
                        flat_put32(at, tag | (uint32_t)value << 8);
                        return at + 2;
                }
                if (value < 1 << 14) {
                        flat_put32(at, tag | ((uint32_t)value & 0x7f) << 8 | 0x80 << 8 |
                                               (uint32_t)value >> 7 << 16);
                        return at + 3;
                }
        }
        return flat_put_varint(flat_put_varint(at, tag), value);
}

ENCODE_INLINE uint8_t *flat_put_tag(uint8_t *at, uint32_t number, upb_WireType wire_type)
{
        return flat_put_varint(at, number << 3 | (uint32_t)wire_type);
}

/*
 * A head can begin up to @limit. A result beyond it means that the bytes may not fit, and nothing is written. NULL: text that
 * is not UTF-8, which the other encoder reports.
 */
ENCODE_INLINE uint8_t *flat_put_string(
        uint8_t *at, uint8_t *limit, uint32_t number, upb_StringView string, bool is_text)
{
        bool is_ascii;

        if (string.size > (size_t)(limit - at))
                return limit + 1;
        at = flat_put_head(at, number, kUpb_WireType_Delimited, string.size);
        is_ascii = copy_short(at, (const uint8_t *)string.data, string.size);
        if (is_text && !ENCODE_LIKELY(is_ascii) && !utf8_is_valid(string.data, string.size))
                return NULL;
        return at + string.size;
}

/*
 * Encodes the value at @data. A result beyond @limit: it may not fit. NULL: it is neither a number nor a string, or repeated,
 * or not UTF-8.
 */
ENCODE_INLINE uint8_t *flat_put_value(uint8_t *at, uint8_t *limit, const upb_Message *message,
        const upb_MiniTableField *field, const void *data)
{
        upb_FieldType type = (upb_FieldType)field->UPB_PRIVATE(descriptortype);
        uint32_t number = upb_MiniTableField_Number(field);
        upb_StringView string;
        uint64_t value;

        if (!ENCODE_LIKELY(upb_MiniTableField_IsScalar(field)))
                return encode_load_pointer(data) ? NULL : at;
        switch (type) {
        case kUpb_FieldType_Message:
        case kUpb_FieldType_Group:
                return encode_load_pointer(data) && encode_has(message, field, true) ? NULL : at;
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
                value = encode_load64(data);
                if (!encode_has(message, field, value))
                        return at;
                return flat_put64(flat_put_tag(at, number, kUpb_WireType_64Bit), value);
        case kUpb_FieldType_Float:
        case kUpb_FieldType_Fixed32:
        case kUpb_FieldType_SFixed32:
                value = encode_load32(data);
                if (!encode_has(message, field, value))
                        return at;
                return flat_put32(flat_put_tag(at, number, kUpb_WireType_32Bit), (uint32_t)value);
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
                string = encode_load_string(data);
                if (!encode_has(message, field, string.size))
                        return at;
                return flat_put_string(at, limit, number, string, type == kUpb_FieldType_String);
        default:
                value = encode_load_varint(type, data);
                if (!encode_has(message, field, value))
                        return at;
                return flat_put_head(at, number, kUpb_WireType_Varint, value);
        }
}

int encode_flat(uint8_t *place, size_t room, const upb_Message *message, const upb_MiniTable *table)
{
        const upb_MiniTableField *field =
                table->UPB_ONLYBITS(fields); /* NULL where there are none */
        unsigned left = table->UPB_ONLYBITS(field_count);
        uint8_t *at = place + FRAMING_PREFIX_BYTES, *limit;

        if (room < FRAMING_PREFIX_BYTES + HEAD_BYTES_MAX)
                return -ENOSPC;
        limit = place + room - HEAD_BYTES_MAX; /* up to here heads can begin */
        if (table->UPB_PRIVATE(required_count) > 0 ||
                UPB_PRIVATE(_upb_Message_GetInternal)(message))
                return -ENOTSUP;
        for (; left > 0; left--, field++) {
                at = flat_put_value(at, limit, message, field,
                        UPB_PRIVATE(_upb_Message_DataPtr)(message, field));
                if (!ENCODE_LIKELY((uintptr_t)at - 1 < (uintptr_t)limit)) /* NULL is beyond, too */
                        return at ? -ENOSPC : -ENOTSUP;
        }
        framing_write_prefix(place, false, (uint32_t)(at - place - FRAMING_PREFIX_BYTES));
        return (int)(at - place);
}

#include "upb/port/undef.inc"
