/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/encode.h"
#include "codec/framing.h"
#include "codec/message.h"
#include "flat.h"
#include "owner.h"
#include "random.h"
#include "upb/mem/arena.h"
#include "upb/message/accessors.h"
#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/mini_descriptor/decode.h"
#include "upb/mini_descriptor/internal/encode.h"
#include "upb/mini_descriptor/internal/modifiers.h"
#include "upb/mini_descriptor/link.h"
#include "upb/mini_table/extension.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

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

static bool is_message(upb_FieldType type)
{
        return type == kUpb_FieldType_Message || type == kUpb_FieldType_Group;
}

/* ---- types ---- */

static upb_MiniTable *build(const char *descriptor, const char *end, upb_Arena *arena)
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

static const upb_MiniTable *map_entry_new(
        const struct field *field, const upb_MiniTable *table, upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        upb_MiniTable *entry = build(descriptor,
                upb_MtDataEncoder_EncodeMap(&encoder, descriptor, field->key, field->value, 0, 0),
                arena);

        if (is_message(field->value))
                assert_true(upb_MiniTable_SetSubMessage(
                        entry, (upb_MiniTableField *)upb_MiniTable_MapValue(entry), table));
        return entry;
}

static char *put_oneofs(
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

/* Messages in messages are of the same type as what they are in. */
static const upb_MiniTable *table_new(
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
                if (is_message(fields[i].type))
                        assert_true(upb_MiniTable_SetSubMessage(table,
                                (upb_MiniTableField *)upb_MiniTable_FindFieldByNumber(
                                        table, fields[i].number),
                                fields[i].key ? map_entry_new(&fields[i], table, arena) : table));
        return table;
}

static const upb_MiniTableExtension *extension_new(upb_FieldType type, uint32_t number,
        uint64_t modifiers, const upb_MiniTable *table, upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        const char *end =
                upb_MtDataEncoder_EncodeExtension(&encoder, descriptor, type, number, modifiers);
        const upb_MiniTableExtension *extension = upb_MiniTableExtension_BuildMessage(descriptor,
                (size_t)(end - descriptor), table, is_message(type) ? table : NULL, arena, NULL);

        assert_non_null(extension);
        return extension;
}

static struct field random_field(uint64_t *random, uint32_t number)
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

static size_t random_fields(uint64_t *random, struct field *fields)
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

static void random_type(uint64_t *random, struct type *type, upb_Arena *arena)
{
        bool extendable = !random_upto(random, 3);

        type->n_fields = random_fields(random, type->fields);
        type->n_extensions = 0;
        type->table = table_new(type->fields, type->n_fields,
                extendable ? kUpb_MessageModifier_IsExtendable : 0, arena);
        while (extendable && type->n_extensions < 8) {
                struct field field = random_field(random, 1);
                uint64_t modifiers = field.modifiers &
                                     (kUpb_FieldModifier_IsRepeated | kUpb_FieldModifier_IsPacked);

                if (field.key)
                        continue;
                type->extensions[type->n_extensions] = extension_new(field.type,
                        NUMBER_MAX - (uint32_t)type->n_extensions, modifiers, type->table, arena);
                type->n_extensions++;
        }
}

/* ---- values ---- */

static upb_MessageValue scalar_value(upb_FieldType type, uint64_t bits, upb_Arena *arena)
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

static void fill(uint64_t *random, const struct type *type, upb_Message *message, size_t depth,
        upb_Arena *arena);

static uint64_t random_bits(uint64_t *random)
{
        return random_upto(random, 1) ? values[random_upto(random, VALUES - 1)]
                                      : random_u64(random) >> random_upto(random, 63);
}

static upb_MessageValue random_value(uint64_t *random, const struct type *type,
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

static const upb_Map *random_map(uint64_t *random, const struct type *type,
        const struct field *field, size_t depth, upb_Arena *arena)
{
        upb_Map *map = upb_Map_New(
                arena, upb_FieldType_CType(field->key), upb_FieldType_CType(field->value));

        for (size_t i = random_upto(random, 20); i > 0; i--)
                assert_true(upb_Map_Set(map, scalar_value(field->key, random_bits(random), arena),
                        random_value(random, type, field->value, depth, arena), arena));
        return map;
}

static const upb_Array *random_array(uint64_t *random, const struct type *type,
        upb_FieldType field_type, size_t depth, upb_Arena *arena)
{
        upb_Array *array = upb_Array_New(arena, upb_FieldType_CType(field_type));

        for (size_t i = random_upto(random, 5); i > 0; i--)
                assert_true(upb_Array_Append(
                        array, random_value(random, type, field_type, depth, arena), arena));
        return array;
}

static void set_extension(uint64_t *random, const struct type *type,
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
static void add_unknown(uint64_t *random, upb_Message *message, upb_Arena *arena)
{
        char *data = upb_Arena_Malloc(arena, 50);
        size_t size = 1 + random_upto(random, 49);

        memset(data, 'u', size);
        assert_true(UPB_PRIVATE(_upb_Message_AddUnknown)(
                message, data, size, arena, kUpb_AddUnknown_Copy));
}

static void fill(uint64_t *random, const struct type *type, upb_Message *message, size_t depth,
        upb_Arena *arena)
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

/* ---- upb as the judge ---- */

static int encode_error(upb_EncodeStatus status)
{
        switch (status) {
        case kUpb_EncodeStatus_Ok:
                return 0;
        case kUpb_EncodeStatus_MaxDepthExceeded:
                return -E2BIG;
        case kUpb_EncodeStatus_MissingRequired:
                return -EINVAL;
        case kUpb_EncodeStatus_MaxSizeExceeded:
                return -EMSGSIZE;
        default:
                return -EIO; /* in a test nothing else is to be met */
        }
}

/* Messages that encode_flat() took. */
static size_t n_flat;

/* That upb says the same: whether it is an error, and which; and all the bytes. */
static int assert_as_upb(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena)
{
        static const size_t block_bytes_max[] = { ENCODE_BLOCK_BYTES_MIN, 40, 300, 100000 };
        int options = kUpb_EncodeOption_CheckRequired |
                      (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        size_t expected_size;
        char *expected;
        int expected_r =
                encode_error(upb_Encode(message, table, options, arena, &expected, &expected_size));
        uint8_t place[100];

        if (expected_r == 0)
                n_flat += flat_is_as_expected(message, table, expected, expected_size);
        else
                assert_int_equal(encode_flat(place, sizeof(place), message, table), -ENOTSUP);
        for (size_t i = 0; i < sizeof(block_bytes_max) / sizeof(*block_bytes_max); i++) {
                struct owner owner = {
                        .encoder.bytes_max = SIZE_MAX,
                        .random = i,
                        .block_bytes_max = block_bytes_max[i],
                        .blocks_left = SIZE_MAX,
                };
                uint8_t *bytes = NULL, prefix[FRAMING_PREFIX_BYTES];
                size_t size;

                assert_int_equal(owner_encode(&owner, message, table, &bytes, &size), expected_r);
                if (expected_r < 0)
                        continue;
                assert_int_equal(size, FRAMING_PREFIX_BYTES + expected_size);
                framing_write_prefix(prefix, false, (uint32_t)expected_size);
                assert_memory_equal(bytes, prefix, FRAMING_PREFIX_BYTES);
                if (expected_size)
                        assert_memory_equal(bytes + FRAMING_PREFIX_BYTES, expected, expected_size);
                free(bytes);
        }
        return expected_r;
}

/* ---- tests ---- */

/* Each type, with each presence, in a tag of each length, with each value. */
static void test_every_scalar(void **state)
{
        static const uint32_t numbers[] = { 1, 15, 16, 2047, 2048, 262143, 262144, 33554431,
                33554432, NUMBER_MAX };

        (void)state;
        for (size_t i = 0; i < SCALARS * 4 * sizeof(numbers) / sizeof(*numbers); i++) {
                static const uint64_t presences[] = { EXPLICIT, IMPLICIT,
                        kUpb_FieldModifier_IsRequired, EXPLICIT };
                struct field field = {
                        .type = scalars[i % SCALARS].type,
                        .modifiers = scalars[i % SCALARS].modifiers | presences[i / SCALARS % 4],
                        .number = numbers[i / SCALARS / 4],
                        .oneof = i / SCALARS % 4 == 3,
                };
                upb_Arena *arena = upb_Arena_New();
                const upb_MiniTable *table = table_new(&field, 1, 0, arena);
                bool is_required = field.modifiers & kUpb_FieldModifier_IsRequired;
                size_t flat_before = n_flat;

                assert_as_upb(upb_Message_New(table, arena), table, arena);
                for (size_t j = 0; j < VALUES; j++) {
                        upb_Message *message = upb_Message_New(table, arena);
                        upb_MessageValue value;

                        value = scalar_value(field.type, values[j], arena);
                        upb_Message_SetBaseField(
                                message, upb_MiniTable_GetFieldByIndex(table, 0), &value);
                        assert_as_upb(message, table, arena);
                }
                assert_int_equal(n_flat - flat_before, is_required ? 0 : 1 + VALUES);
                upb_Arena_Free(arena);
        }
}

static void test_random_types(void **state)
{
        size_t n_encoded = 0, n_lacking = 0, flat_before = n_flat;

        (void)state;
        for (uint64_t seed = 1; seed <= 1500; seed++) {
                uint64_t random = seed;
                upb_Arena *arena = upb_Arena_New();
                struct type type;

                random_type(&random, &type, arena);
                for (size_t i = 0; i < 4; i++) {
                        upb_Message *message = upb_Message_New(type.table, arena);

                        fill(&random, &type, message, type.n_fields < 10 ? 2 : 1, arena);
                        if (assert_as_upb(message, type.table, arena) == 0)
                                n_encoded++;
                        else
                                n_lacking++;
                }
                upb_Arena_Free(arena);
        }
        assert_true(n_encoded > 4000 && n_lacking > 50);
        assert_true(n_flat - flat_before > 500);
}

/* Written down, not asked of upb. */
static void test_bytes(void **state)
{
        static const struct field fields[] = {
                { .type = kUpb_FieldType_Int32, .number = 1, .modifiers = IMPLICIT },
                { .type = kUpb_FieldType_String, .number = 2, .modifiers = IMPLICIT },
                { .type = kUpb_FieldType_Message, .number = 3 },
                { .type = kUpb_FieldType_Float, .number = 16, .modifiers = IMPLICIT },
        };
        static const char expected[] = "\0\0\0\0\x1a"
                                       "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                       "\x12\x01x"
                                       "\x1a\x04\x08\x80\x80\x01"
                                       "\x85\x01\x00\x00\x00\x80"; /* -0 is not zero */
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(fields, 4, 0, arena);
        upb_Message *message = upb_Message_New(table, arena), *sub = upb_Message_New(table, arena);
        struct owner owner = {
                .encoder.bytes_max = 100, .block_bytes_max = 100, .blocks_left = 10
        };
        uint8_t *bytes = NULL;
        size_t size;

        (void)state;
        upb_Message_SetBaseFieldInt32(message, upb_MiniTable_GetFieldByIndex(table, 0), -1);
        upb_Message_SetBaseFieldString(
                message, upb_MiniTable_GetFieldByIndex(table, 1), upb_StringView_FromString("x"));
        upb_Message_SetBaseFieldInt32(sub, upb_MiniTable_GetFieldByIndex(table, 0), 16384);
        upb_Message_SetBaseFieldMessage(message, upb_MiniTable_GetFieldByIndex(table, 2), sub);
        upb_Message_SetBaseFieldFloat(message, upb_MiniTable_GetFieldByIndex(table, 3), -0.0f);
        assert_int_equal(owner_encode(&owner, message, table, &bytes, &size), 0);
        assert_int_equal(size, sizeof(expected) - 1);
        assert_memory_equal(bytes, expected, size);
        free(bytes);
        upb_Arena_Free(arena);
}

/* A message's limit holds to the byte, and no memory is asked for much beyond it. */
static void test_limit(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Bytes,
                .number = 1,
                .modifiers = kUpb_FieldModifier_IsRepeated };
        static char text[30000];
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        upb_Message *message = upb_Message_New(table, arena);
        upb_Array *array = upb_Message_GetOrCreateMutableArray(
                message, upb_MiniTable_GetFieldByIndex(table, 0), arena);

        (void)state;
        for (size_t i = 0; i < 3; i++) /* 10 bytes each, then a large one */
                upb_Array_Append(array,
                        (upb_MessageValue){
                                .str_val = { .data = text, .size = i < 2 ? 8 : sizeof(text) } },
                        arena);
        for (size_t small = 0; small < 2; small++) {
                size_t exact = small ? 20 : 20 + 4 + sizeof(text);

                if (small)
                        upb_Array_Resize(array, 2, arena);
                for (size_t bytes_max = 0; bytes_max <= exact; bytes_max++) {
                        struct owner owner = { .encoder.bytes_max = bytes_max,
                                .block_bytes_max = 20,
                                .blocks_left = SIZE_MAX,
                                .random = bytes_max };
                        uint8_t *bytes = NULL;
                        size_t size = 77;
                        int r = owner_encode(&owner, message, table, &bytes, &size);

                        assert_int_equal(r, bytes_max < exact ? -EMSGSIZE : 0);
                        if (r == 0)
                                free(bytes);
                        else
                                assert_int_equal(size, 77);
                        /* the tail of a block may stay empty */
                        assert_true(owner.bytes <= 2 * (bytes_max + ENCODE_BLOCK_BYTES_MIN) + 60);
                }
        }
        upb_Arena_Free(arena);
}

/* Text of 2 GiB is said, not had: only its size is looked at. */
static void test_too_large(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Bytes, .number = 1 };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        upb_Message *message = upb_Message_New(table, arena);
        struct owner owner = {
                .encoder.bytes_max = SIZE_MAX, .block_bytes_max = 100, .blocks_left = SIZE_MAX
        };
        uint8_t *bytes = NULL;
        size_t size;

        (void)state;
        upb_Message_SetBaseFieldString(message, upb_MiniTable_GetFieldByIndex(table, 0),
                upb_StringView_FromDataAndSize("", (size_t)1 << 31));
        assert_int_equal(owner_encode(&owner, message, table, &bytes, &size), -EMSGSIZE);
        assert_true(owner.bytes <= 100);
        upb_Arena_Free(arena);
}

/* Whichever block it is that is not to be had. */
static void test_no_memory(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 300; seed++) {
                uint64_t random = seed;
                upb_Arena *arena = upb_Arena_New();
                struct type type;
                upb_Message *message;
                size_t blocks = 0;
                int r;

                random_type(&random, &type, arena);
                message = upb_Message_New(type.table, arena);
                fill(&random, &type, message, 1, arena);
                do {
                        struct owner owner = { .encoder.bytes_max = SIZE_MAX,
                                .block_bytes_max = 200,
                                .blocks_left = blocks };
                        uint8_t *bytes = NULL;
                        size_t size;

                        r = owner_encode(&owner, message, type.table, &bytes, &size);
                        if (r == 0)
                                free(bytes);
                        else
                                assert_true(r == -ENOMEM || r == -EINVAL);
                        blocks = 2 * blocks + 1;
                } while (r == -ENOMEM);
                upb_Arena_Free(arena);
        }
}

/* Chains of messages, groups, maps' values: as deep as upb goes, and not deeper. */
static void test_depth(void **state)
{
        static const struct field fields[] = {
                { .type = kUpb_FieldType_Message, .number = 1 },
                { .type = kUpb_FieldType_Group, .number = 2 },
                { .type = kUpb_FieldType_Message,
                        .number = 3,
                        .modifiers = kUpb_FieldModifier_IsRepeated },
                { .type = kUpb_FieldType_Group,
                        .number = 4,
                        .modifiers = kUpb_FieldModifier_IsRepeated },
                { .type = kUpb_FieldType_Message,
                        .number = 5,
                        .modifiers = kUpb_FieldModifier_IsRepeated,
                        .key = kUpb_FieldType_Int32,
                        .value = kUpb_FieldType_Message },
        };

        (void)state;
        for (size_t i = 0; i < 5; i++) {
                for (size_t depth = MESSAGE_DEPTH_MAX - 2; depth <= MESSAGE_DEPTH_MAX + 3;
                        depth++) {
                        upb_Arena *arena = upb_Arena_New();
                        struct type type = { .n_fields = 1, .fields = { fields[i] } };
                        upb_Message *message;

                        type.table = table_new(fields, 5, 0, arena);
                        message = upb_Message_New(type.table, arena);
                        for (size_t level = 1; level < depth; level++) {
                                upb_Message *above = upb_Message_New(type.table, arena);
                                upb_MessageValue value = { .msg_val = message };

                                if (fields[i].key) {
                                        upb_Map *map = upb_Map_New(
                                                arena, kUpb_CType_Int32, kUpb_CType_Message);

                                        upb_Map_Set(map, (upb_MessageValue){ .int32_val = 1 },
                                                value, arena);
                                        value.map_val = map;
                                } else if (fields[i].modifiers) {
                                        upb_Array *array = upb_Array_New(arena, kUpb_CType_Message);

                                        upb_Array_Append(array, value, arena);
                                        value.array_val = array;
                                }
                                upb_Message_SetBaseField(above,
                                        upb_MiniTable_FindFieldByNumber(
                                                type.table, fields[i].number),
                                        &value);
                                message = above;
                        }
                        assert_int_equal(assert_as_upb(message, type.table, arena),
                                depth <= MESSAGE_DEPTH_MAX ? 0 : -E2BIG);
                        upb_Arena_Free(arena);
                }
        }
}

static void test_message_set(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Int32, .number = 1 };
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        const upb_MiniTable *set =
                build(descriptor, upb_MtDataEncoder_EncodeMessageSet(&encoder, descriptor), arena);
        upb_Message *message = upb_Message_New(set, arena);

        (void)state;
        assert_as_upb(message, set, arena);
        for (uint32_t number = 100; number < 100000; number *= 7) {
                upb_MtDataEncoder again = { .end = descriptor + sizeof(descriptor) };
                const char *end = upb_MtDataEncoder_EncodeExtension(
                        &again, descriptor, kUpb_FieldType_Message, number, 0);
                upb_Message *item = upb_Message_New(table, arena);

                upb_Message_SetBaseFieldInt32(
                        item, upb_MiniTable_GetFieldByIndex(table, 0), (int32_t)number);
                assert_true(upb_Message_SetExtensionMessage(message,
                        upb_MiniTableExtension_BuildMessage(
                                descriptor, (size_t)(end - descriptor), set, table, arena, NULL),
                        item, arena));
                assert_int_equal(assert_as_upb(message, set, arena), 0);
        }
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_every_scalar),
                cmocka_unit_test(test_random_types),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_message_set),
        };

        return cmocka_run_group_tests_name("codec/encode", tests, NULL, NULL);
}
