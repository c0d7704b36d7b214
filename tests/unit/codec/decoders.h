/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/decode_flat.h"
#include "codec/message.h"
#include "types.h"
#include "upb/mini_table/extension_registry.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"
#include "wire.h"

/*
 * upb has two decoders: a fast one, for what is common, and one that does all. They are to agree, and
 * with protobuf for Python, whose answers are written down here.
 */
enum { FAST = 0, SLOW = kUpb_DecodeOption_DisableFastTable };

/* The edges of a length's lengths. */
static const size_t lengths[] = { 0, 1, 15, 16, 17, 127, 128, 16383, 16384, 2097151, 2097152 };
#define LENGTHS (sizeof(lengths) / sizeof(*lengths))

struct decoded {
        upb_DecodeStatus status;
        upb_Message *message;
        char *bytes; /* encoded again, maps in the order of their keys */
        size_t size;
};

static inline void decoded_encode(
        struct decoded *decoded, const upb_MiniTable *table, upb_Arena *arena)
{
        assert_int_equal(upb_Encode(decoded->message, table,
                                 kUpb_EncodeOption_Deterministic |
                                         (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX),
                                 arena, &decoded->bytes, &decoded->size),
                kUpb_EncodeStatus_Ok);
}

/* From memory of just its size, so that ASan sees a byte too many. */
static inline struct decoded decode(const uint8_t *bytes, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, int decoder, upb_Arena *arena)
{
        uint8_t *copy = malloc(size ? size : 1);
        struct decoded decoded = { .message = upb_Message_New(table, arena) };

        if (size > 0)
                memcpy(copy, bytes, size);
        /* without an alias nothing points into the copy */
        decoded.status = upb_Decode((const char *)copy, size, decoded.message, table, registry,
                decoder | kUpb_DecodeOption_CheckRequired |
                        (int)upb_DecodeOptions_MaxDepth(MESSAGE_DEPTH_MAX),
                arena);
        if (decoded.status == kUpb_DecodeStatus_Ok)
                decoded_encode(&decoded, table, arena);
        free(copy);
        return decoded;
}

static inline bool decoded_are_alike(const struct decoded *one, const struct decoded *other)
{
        return one->status == other->status && one->size == other->size &&
               (one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0);
}

/* By decode_flat(), also what is longer than message_decode() would give it. Its status is "malformed" if it does not take it. */
static inline struct decoded decode_by_flat(
        const uint8_t *bytes, size_t size, const upb_MiniTable *table, upb_Arena *arena)
{
        uint8_t *copy = malloc(size ? size : 1);
        struct decoded decoded = { .status = kUpb_DecodeStatus_Malformed,
                .message = upb_Message_New(table, arena) };

        if (size > 0)
                memcpy(copy, bytes, size);
        if (decode_flat(copy, size, decoded.message, table)) {
                decoded.status = kUpb_DecodeStatus_Ok;
                decoded_encode(&decoded, table, arena);
        }
        free(copy);
        return decoded;
}

/* As a call's message is decoded: with aliases. */
static inline int decode_aliased(const struct wire *wire, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, upb_Arena *arena, upb_Message **ret_message)
{
        uint8_t *copy = upb_Arena_Malloc(arena, wire->size);

        if (wire->size > 0)
                memcpy(copy, wire->bytes, wire->size);
        return message_decode(copy, wire->size, table, registry, arena, ret_message, NULL);
}

static inline const upb_ExtensionRegistry *registry_new(
        const upb_MiniTableExtension **extensions, size_t n_extensions, upb_Arena *arena)
{
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);

        assert_int_equal(upb_ExtensionRegistry_AddArray(registry, extensions, n_extensions),
                kUpb_ExtensionRegistryStatus_Ok);
        return registry;
}

static inline upb_WireType wire_type_of(upb_FieldType type)
{
        switch (type) {
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
                return kUpb_WireType_64Bit;
        case kUpb_FieldType_Float:
        case kUpb_FieldType_Fixed32:
        case kUpb_FieldType_SFixed32:
                return kUpb_WireType_32Bit;
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
        case kUpb_FieldType_Message:
                return kUpb_WireType_Delimited;
        case kUpb_FieldType_Group:
                return kUpb_WireType_StartGroup;
        default:
                return kUpb_WireType_Varint;
        }
}

static const upb_WireType wire_types[] = { kUpb_WireType_Varint, kUpb_WireType_64Bit,
        kUpb_WireType_Delimited, kUpb_WireType_StartGroup, kUpb_WireType_32Bit };
#define WIRE_TYPES (sizeof(wire_types) / sizeof(*wire_types))
