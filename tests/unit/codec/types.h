/* SPDX-License-Identifier: MIT */
#pragma once

/* Any message type that a .proto can ask for, without protoc, and any message of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "upb/mem/arena.h"
#include "upb/message/accessors.h"
#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/mini_descriptor/build_enum.h"
#include "upb/mini_descriptor/decode.h"
#include "upb/mini_descriptor/internal/encode.h"
#include "upb/mini_descriptor/internal/modifiers.h"
#include "upb/mini_descriptor/link.h"
#include "upb/mini_table/extension.h"

#include "upb/port/def.inc" /* last: UPB_PRIVATE() */

/* What a message type is made of, here: any field that a .proto can ask for. */
#define FIELDS_MAX 100
#define ONEOFS_MAX 3
#define NUMBER_MAX ((uint32_t)(1 << 29) - 1)

enum { IMPLICIT = kUpb_FieldModifier_IsProto3Singular, EXPLICIT = 0 };

struct field {
        upb_FieldType type;
        uint32_t number; /* ascending */
        uint64_t modifiers;
        size_t oneof;              /* 0: in none */
        upb_FieldType key, value; /* of a map: a repeated message of entries; @key 0: it is none */
        uint64_t value_modifiers;
};

/* Any message type, and an extension of it if it has some. */
struct type {
        struct field fields[FIELDS_MAX];
        size_t n_fields;
        const upb_MiniTable *table;
        const upb_MiniTableExtension *extensions[8];
        size_t n_extensions;
};

static const struct {
        upb_FieldType type;
        uint64_t modifiers;
} scalars[] = {
        { kUpb_FieldType_Double, 0 },
        { kUpb_FieldType_Float, 0 },
        { kUpb_FieldType_Int64, 0 },
        { kUpb_FieldType_UInt64, 0 },
        { kUpb_FieldType_Int32, 0 },
        { kUpb_FieldType_Fixed64, 0 },
        { kUpb_FieldType_Fixed32, 0 },
        { kUpb_FieldType_Bool, 0 },
        { kUpb_FieldType_String, 0 },
        { kUpb_FieldType_String, kUpb_FieldModifier_ValidateUtf8 },
        { kUpb_FieldType_Bytes, 0 },
        { kUpb_FieldType_UInt32, 0 },
        { kUpb_FieldType_Enum, 0 },
        { kUpb_FieldType_Enum, kUpb_FieldModifier_IsClosedEnum },
        { kUpb_FieldType_SFixed32, 0 },
        { kUpb_FieldType_SFixed64, 0 },
        { kUpb_FieldType_SInt32, 0 },
        { kUpb_FieldType_SInt64, 0 },
};
#define SCALARS (sizeof(scalars) / sizeof(*scalars))

/* As bits: zeroes and their negatives, the edges of varints' lengths, the ends of each type. */
static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, INT32_MAX, 0x80000000, UINT32_MAX,
        (uint64_t)1 << 35, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX, (uint64_t)-64, (uint64_t)-65 };
#define VALUES (sizeof(values) / sizeof(*values))

static const upb_FieldType keys[] = { kUpb_FieldType_Int32, kUpb_FieldType_Int64,
        kUpb_FieldType_UInt32, kUpb_FieldType_UInt64, kUpb_FieldType_SInt32, kUpb_FieldType_SInt64,
        kUpb_FieldType_Fixed32, kUpb_FieldType_Fixed64, kUpb_FieldType_Bool,
        kUpb_FieldType_String };
#define KEYS (sizeof(keys) / sizeof(*keys))

static inline bool is_message(upb_FieldType type)
{
        return type == kUpb_FieldType_Message || type == kUpb_FieldType_Group;
}

/* ---- types ---- */

static inline upb_MiniTable *build(const char *descriptor, const char *end, upb_Arena *arena)
{
        upb_Status status;
        upb_MiniTable *table;

        upb_Status_Clear(&status);
        assert_non_null(end);
        table = upb_MiniTable_Build(descriptor, (size_t)(end - descriptor), arena, &status);
        if (!table)
                fail_msg("%s", upb_Status_ErrorMessage(&status));
        return table;
}

/* A closed enum of 0, 1 and 2. */
static inline const upb_MiniTableEnum *enum_new(upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        char *p = upb_MtDataEncoder_StartEnum(&encoder, descriptor);
        const upb_MiniTableEnum *table;

        for (uint32_t value = 0; value < 3; value++)
                p = upb_MtDataEncoder_PutEnumValue(&encoder, p, value);
        p = upb_MtDataEncoder_EndEnum(&encoder, p);
        table = upb_MiniTableEnum_Build(descriptor, (size_t)(p - descriptor), arena, NULL);
        assert_non_null(table);
        return table;
}

static inline const upb_MiniTable *map_entry_new(
        const struct field *field, const upb_MiniTable *table, upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        upb_MiniTable *entry = build(descriptor,
                upb_MtDataEncoder_EncodeMap(
                        &encoder, descriptor, field->key, field->value, 0, field->value_modifiers),
                arena);

        if (is_message(field->value))
                assert_true(upb_MiniTable_SetSubMessage(
                        entry, (upb_MiniTableField *)upb_MiniTable_MapValue(entry), table));
        else if (field->value_modifiers & kUpb_FieldModifier_IsClosedEnum)
                assert_true(upb_MiniTable_SetSubEnum(entry,
                        (upb_MiniTableField *)upb_MiniTable_MapValue(entry), enum_new(arena)));
        return entry;
}

static inline char *put_oneofs(
        upb_MtDataEncoder *encoder, char *p, const struct field *fields, size_t n_fields)
{
        for (size_t oneof = 1; oneof <= ONEOFS_MAX; oneof++) {
                bool started = false;

                for (size_t i = 0; i < n_fields; i++) {
                        if (fields[i].oneof != oneof)
                                continue;
                        if (!started)
                                p = upb_MtDataEncoder_StartOneof(encoder, p);
                        started = true;
                        p = upb_MtDataEncoder_PutOneofField(encoder, p, fields[i].number);
                }
        }
        return p;
}

static inline void link_field(upb_MiniTable *table, const struct field *field, upb_Arena *arena)
{
        upb_MiniTableField *made =
                (upb_MiniTableField *)upb_MiniTable_FindFieldByNumber(table, field->number);

        if (is_message(field->type))
                assert_true(upb_MiniTable_SetSubMessage(
                        table, made, field->key ? map_entry_new(field, table, arena) : table));
        else if (upb_MiniTableField_IsClosedEnum(made))
                assert_true(upb_MiniTable_SetSubEnum(table, made, enum_new(arena)));
}

/* Messages in messages are of the same type as what they are in. */
static inline const upb_MiniTable *table_new(
        const struct field *fields, size_t n_fields, uint64_t modifiers, upb_Arena *arena)
{
        char descriptor[FIELDS_MAX * 2 * kUpb_MtDataEncoder_MinSize];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        char *p = upb_MtDataEncoder_StartMessage(&encoder, descriptor, modifiers);
        upb_MiniTable *table;

        for (size_t i = 0; i < n_fields; i++)
                p = upb_MtDataEncoder_PutField(
                        &encoder, p, fields[i].type, fields[i].number, fields[i].modifiers);
        table = build(descriptor, put_oneofs(&encoder, p, fields, n_fields), arena);
        for (size_t i = 0; i < n_fields; i++)
                link_field(table, &fields[i], arena);
        return table;
}

static inline const upb_MiniTableExtension *extension_new(upb_FieldType type, uint32_t number,
        uint64_t modifiers, const upb_MiniTable *table, upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        const char *end =
                upb_MtDataEncoder_EncodeExtension(&encoder, descriptor, type, number, modifiers);
        size_t size = (size_t)(end - descriptor);
        const upb_MiniTableExtension *extension =
                modifiers & kUpb_FieldModifier_IsClosedEnum
                        ? upb_MiniTableExtension_BuildEnum(
                                  descriptor, size, table, enum_new(arena), arena, NULL)
                        : upb_MiniTableExtension_BuildMessage(descriptor, size, table,
                                  is_message(type) ? table : NULL, arena, NULL);

        assert_non_null(extension);
        return extension;
}

static inline struct field random_field(uint64_t *random, uint32_t number)
{
        size_t i = random_upto(random, SCALARS - 1), what = random_upto(random, 15);
        struct field field = {
                .type = scalars[i].type,
                .modifiers = scalars[i].modifiers,
                .number = number,
        };
        upb_FieldType message =
                random_upto(random, 1) ? kUpb_FieldType_Message : kUpb_FieldType_Group;

        if (what == 0) {
                field.key = keys[random_upto(random, KEYS - 1)];
                field.value = random_upto(random, 3) ? field.type : kUpb_FieldType_Message;
                if (field.value == field.type)
                        field.value_modifiers = field.modifiers & kUpb_FieldModifier_IsClosedEnum;
                field.type = kUpb_FieldType_Message;
                field.modifiers = kUpb_FieldModifier_IsRepeated;
        } else if (what == 1) {
                field.type = message;
                field.modifiers = 0;
        } else if (what == 2) {
                field.type = message;
                field.modifiers = kUpb_FieldModifier_IsRepeated;
        } else if (what <= 5) {
                field.modifiers |= kUpb_FieldModifier_IsRepeated;
                if (upb_FieldType_IsPackable(field.type) && random_upto(random, 1))
                        field.modifiers |= kUpb_FieldModifier_IsPacked;
        } else if (what <= 10) {
                field.modifiers |= IMPLICIT;
        } else if (what == 11 && number < 60) { /* there can be no more than 64 of them */
                field.modifiers |= random_upto(random, 7) ? 0 : kUpb_FieldModifier_IsRequired;
        }
        if (!(field.modifiers &
                    (IMPLICIT | kUpb_FieldModifier_IsRepeated | kUpb_FieldModifier_IsRequired)) &&
                random_upto(random, 1))
                field.oneof = random_upto(random, ONEOFS_MAX);
        return field;
}

static inline size_t random_fields(uint64_t *random, struct field *fields)
{
        size_t n_fields = random_upto(random, random_upto(random, 3) ? 8 : FIELDS_MAX);
        uint32_t number = 0;

        for (size_t i = 0; i < n_fields; i++) {
                uint32_t left = NUMBER_MAX - number - (uint32_t)(n_fields - i);
                uint32_t skip = random_upto(random, 3)
                                        ? 0
                                        : (uint32_t)random_u64(random) >> random_upto(random, 31);

                number += 1 + (skip < left ? skip : left);
                fields[i] = random_field(random, number);
        }
        return n_fields;
}

static inline void random_type(uint64_t *random, struct type *type, upb_Arena *arena)
{
        bool extendable = !random_upto(random, 3);

        type->n_fields = random_fields(random, type->fields);
        type->n_extensions = 0;
        type->table = table_new(type->fields, type->n_fields,
                extendable ? kUpb_MessageModifier_IsExtendable : 0, arena);
        while (extendable && type->n_extensions < 8) {
                struct field field = random_field(random, 1);
                uint64_t modifiers = field.modifiers &
                                     (kUpb_FieldModifier_IsRepeated | kUpb_FieldModifier_IsPacked |
                                             kUpb_FieldModifier_IsClosedEnum);

                if (field.key)
                        continue;
                type->extensions[type->n_extensions] = extension_new(field.type,
                        NUMBER_MAX - (uint32_t)type->n_extensions, modifiers, type->table, arena);
                type->n_extensions++;
        }
}

/* ---- values ---- */

static inline upb_MessageValue scalar_value(upb_FieldType type, uint64_t bits, upb_Arena *arena)
{
        upb_MessageValue value;
        size_t size = bits % 300;
        char *text;

        switch (type) {
        case kUpb_FieldType_Bool:
                value.bool_val = bits & 1;
                return value;
        case kUpb_FieldType_String:
        case kUpb_FieldType_Bytes:
                text = upb_Arena_Malloc(arena, size);
                for (size_t i = 0; i < size; i++)
                        text[i] = (char)('a' + (bits + i) % 26);
                value.str_val = upb_StringView_FromDataAndSize(size ? text : NULL, size);
                return value;
        case kUpb_FieldType_Double:
        case kUpb_FieldType_Int64:
        case kUpb_FieldType_UInt64:
        case kUpb_FieldType_Fixed64:
        case kUpb_FieldType_SFixed64:
        case kUpb_FieldType_SInt64:
                value.uint64_val = bits;
                return value;
        default:
                value.uint32_val = (uint32_t)bits;
                return value;
        }
}

static inline void fill(uint64_t *random, const struct type *type, upb_Message *message,
        size_t depth, upb_Arena *arena);

static inline uint64_t random_bits(uint64_t *random)
{
        return random_upto(random, 1) ? values[random_upto(random, VALUES - 1)]
                                      : random_u64(random) >> random_upto(random, 63);
}

static inline upb_MessageValue random_value(uint64_t *random, const struct type *type,
        upb_FieldType field_type, size_t depth, upb_Arena *arena)
{
        upb_MessageValue value;

        if (!is_message(field_type))
                return scalar_value(field_type, random_bits(random), arena);
        value.msg_val = upb_Message_New(type->table, arena);
        if (depth > 0)
                fill(random, type, (upb_Message *)value.msg_val, depth - 1, arena);
        return value;
}

static inline const upb_Map *random_map(uint64_t *random, const struct type *type,
        const struct field *field, size_t depth, upb_Arena *arena)
{
        upb_Map *map = upb_Map_New(
                arena, upb_FieldType_CType(field->key), upb_FieldType_CType(field->value));

        for (size_t i = random_upto(random, 20); i > 0; i--)
                assert_true(upb_Map_Set(map, scalar_value(field->key, random_bits(random), arena),
                        random_value(random, type, field->value, depth, arena), arena));
        return map;
}

static inline const upb_Array *random_array(uint64_t *random, const struct type *type,
        upb_FieldType field_type, size_t depth, upb_Arena *arena)
{
        upb_Array *array = upb_Array_New(arena, upb_FieldType_CType(field_type));

        for (size_t i = random_upto(random, 5); i > 0; i--)
                assert_true(upb_Array_Append(
                        array, random_value(random, type, field_type, depth, arena), arena));
        return array;
}

static inline void set_extension(uint64_t *random, const struct type *type,
        const upb_MiniTableExtension *extension, upb_Message *message, size_t depth,
        upb_Arena *arena)
{
        const upb_MiniTableField *field = upb_MiniTableExtension_ToField(extension);
        upb_MessageValue value;

        if (upb_MiniTableField_IsScalar(field))
                value = random_value(random, type, upb_MiniTableField_Type(field), depth, arena);
        else
                value.array_val =
                        random_array(random, type, upb_MiniTableField_Type(field), depth, arena);
        assert_true(upb_Message_SetExtension(message, extension, &value, arena));
}

/* As if there had been a field of another version. */
static inline void add_unknown(uint64_t *random, upb_Message *message, upb_Arena *arena)
{
        char *data = upb_Arena_Malloc(arena, 50);
        size_t size = 1 + random_upto(random, 49);

        memset(data, 'u', size);
        assert_true(UPB_PRIVATE(_upb_Message_AddUnknown)(
                message, data, size, arena, kUpb_AddUnknown_Copy));
}

static inline void fill(uint64_t *random, const struct type *type, upb_Message *message,
        size_t depth, upb_Arena *arena)
{
        size_t share = random_upto(random, 3);

        for (size_t i = 0; i < type->n_fields; i++) {
                const struct field *field = &type->fields[i];
                upb_MessageValue value;

                if (random_upto(random, 3) > share &&
                        !(field->modifiers & kUpb_FieldModifier_IsRequired))
                        continue;
                if (field->key)
                        value.map_val = random_map(random, type, field, depth, arena);
                else if (field->modifiers & kUpb_FieldModifier_IsRepeated)
                        value.array_val = random_array(random, type, field->type, depth, arena);
                else
                        value = random_value(random, type, field->type, depth, arena);
                upb_Message_SetBaseField(message,
                        upb_MiniTable_FindFieldByNumber(type->table, field->number), &value);
        }
        for (size_t i = 0; i < type->n_extensions; i++) {
                if (!random_upto(random, 2))
                        add_unknown(random, message, arena);
                if (random_upto(random, 1))
                        set_extension(random, type, type->extensions[i], message, depth, arena);
        }
        if (!random_upto(random, 4))
                add_unknown(random, message, arena);
}

#include "upb/port/undef.inc"
