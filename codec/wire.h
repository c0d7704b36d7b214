/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Protobuf's wire format, field by field, for those who only look into bytes. It is not for the way of a call.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "upb/wire/types.h"

/* The bytes that are left. */
struct wire_cursor {
        const uint8_t *at;
        const uint8_t *end;
};

/* One field. The ends of a group are fields without a value. */
struct wire_field {
        uint32_t number;
        upb_WireType type;
        uint64_t value; /* of a varint, or the bits of one of 64; how long a delimited one is */
        struct wire_cursor bytes; /* of a delimited one */
};

/* Takes a field off the front. False: there is none left, or what is there is none. */
static inline bool wire_next(struct wire_cursor *cursor, struct wire_field *ret_field);

/* ---- how ---- */

static inline bool wire_take(struct wire_cursor *cursor, uint64_t size)
{
        if (size > (uint64_t)(cursor->end - cursor->at))
                return false;
        cursor->at += size;
        return true;
}

static inline bool wire_take_varint(struct wire_cursor *cursor, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
                uint8_t byte = *cursor->at++;

                value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80) {
                        *ret_value = value;
                        return true;
                }
        }
        return false;
}

static inline bool wire_take_64(struct wire_cursor *cursor, uint64_t *ret_value)
{
        const uint8_t *at = cursor->at;

        if (!wire_take(cursor, sizeof(*ret_value)))
                return false;
        memcpy(ret_value, at, sizeof(*ret_value));
        *ret_value = le64toh(*ret_value);
        return true;
}

static inline bool wire_next(struct wire_cursor *cursor, struct wire_field *ret_field)
{
        uint64_t tag;

        if (!wire_take_varint(cursor, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
                return false;
        *ret_field = (struct wire_field){ .number = (uint32_t)(tag >> 3),
                .type = (upb_WireType)(tag & 7) };
        switch (ret_field->type) {
        case kUpb_WireType_Varint:
                return wire_take_varint(cursor, &ret_field->value);
        case kUpb_WireType_64Bit:
                return wire_take_64(cursor, &ret_field->value);
        case kUpb_WireType_32Bit:
                return wire_take(cursor, 4);
        case kUpb_WireType_Delimited:
                if (!wire_take_varint(cursor, &ret_field->value))
                        return false;
                ret_field->bytes.at = cursor->at;
                if (!wire_take(cursor, ret_field->value))
                        return false;
                ret_field->bytes.end = cursor->at;
                return true;
        case kUpb_WireType_StartGroup:
        case kUpb_WireType_EndGroup:
                return true;
        default:
                return false;
        }
}
