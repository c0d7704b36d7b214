/* SPDX-License-Identifier: MIT */
#pragma once

/* Writes protobuf's wire format by hand: also what no encoder would write. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "upb/wire/types.h"

struct wire {
        uint8_t *bytes;
        size_t size, capacity;
};

static inline uint8_t *wire_reserve(struct wire *wire, size_t size)
{
        uint8_t *place;

        if (!wire->bytes || wire->capacity - wire->size < size) {
                wire->capacity = 2 * (wire->size + size) + 16;
                wire->bytes = realloc(wire->bytes, wire->capacity);
                assert(wire->bytes);
        }
        place = wire->bytes + wire->size;
        wire->size += size;
        return place;
}

static inline void wire_put(struct wire *wire, const void *bytes, size_t size)
{
        if (size > 0)
                memcpy(wire_reserve(wire, size), bytes, size);
}

/* In @bytes_min bytes at least: more than it needs make it overlong. */
static inline void wire_varint(struct wire *wire, uint64_t value, size_t bytes_min)
{
        for (size_t i = 1; value >= 0x80 || i < bytes_min; i++, value >>= 7)
                *wire_reserve(wire, 1) = (uint8_t)(value | 0x80);
        *wire_reserve(wire, 1) = (uint8_t)value;
}

static inline void wire_tag(struct wire *wire, uint32_t number, upb_WireType type)
{
        wire_varint(wire, (uint64_t)number << 3 | type, 1);
}

static inline void wire_bytes(struct wire *wire, uint32_t number, const void *bytes, size_t size)
{
        wire_tag(wire, number, kUpb_WireType_Delimited);
        wire_varint(wire, size, 1);
        wire_put(wire, bytes, size);
}

/* Some value of each wire type, for a field that may expect another. */
static inline void wire_value(struct wire *wire, uint32_t number, upb_WireType type)
{
        if (type == kUpb_WireType_Delimited) {
                wire_bytes(wire, number, "\x08\x01", 2);
                return;
        }
        wire_tag(wire, number, type);
        if (type == kUpb_WireType_Varint)
                wire_varint(wire, 5, 1);
        else if (type == kUpb_WireType_64Bit)
                wire_put(wire, "12345678", 8);
        else if (type == kUpb_WireType_32Bit)
                wire_put(wire, "1234", 4);
        else {
                wire_put(wire, "\x08\x01", 2);
                wire_tag(wire, number, kUpb_WireType_EndGroup);
        }
}
