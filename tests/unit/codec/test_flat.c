/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/flat.h"
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
        size_t oneof; /* 0: in none */
        bool map;     /* a repeated message of the type map<int32, string> */
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

static bool is_message(const struct field *field)
{
        return field->type == kUpb_FieldType_Message || field->type == kUpb_FieldType_Group;
}

static bool is_flat(const struct field *field)
{
        return !is_message(field) && !(field->modifiers & kUpb_FieldModifier_IsRepeated);
}

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

static const upb_MiniTable *map_entry_new(upb_Arena *arena)
{
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };

        return build(descriptor,
                upb_MtDataEncoder_EncodeMap(
                        &encoder, descriptor, kUpb_FieldType_Int32, kUpb_FieldType_String, 0, 0),
                arena);
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
        for (size_t oneof = 1; oneof <= ONEOFS_MAX; oneof++) {
                bool started = false;

                for (size_t i = 0; i < n_fields; i++) {
                        if (fields[i].oneof != oneof)
                                continue;
                        if (!started)
                                p = upb_MtDataEncoder_StartOneof(&encoder, p);
                        started = true;
                        p = upb_MtDataEncoder_PutOneofField(&encoder, p, fields[i].number);
                }
        }
        table = build(descriptor, p, arena);
        for (size_t i = 0; i < n_fields; i++)
                if (is_message(&fields[i]))
                        assert_true(upb_MiniTable_SetSubMessage(table,
                                (upb_MiniTableField *)upb_MiniTable_FindFieldByNumber(
                                        table, fields[i].number),
                                fields[i].map ? map_entry_new(arena) : table));
        return table;
}

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

static void set(upb_Message *message, const upb_MiniTable *table, const struct field *field,
        uint64_t bits, upb_Arena *arena)
{
        upb_MessageValue value, key = { .int32_val = 1 };

        if (field->map) {
                upb_Map *map = upb_Map_New(arena, kUpb_CType_Int32, kUpb_CType_String);

                value.str_val = upb_StringView_FromString("one");
                assert_true(upb_Map_Set(map, key, value, arena));
                value.map_val = map;
        } else if (field->modifiers & kUpb_FieldModifier_IsRepeated) {
                const upb_MiniTableField *f = upb_MiniTable_FindFieldByNumber(table, field->number);
                upb_Array *array = upb_Array_New(arena, upb_MiniTableField_CType(f));

                assert_true(upb_Array_Append(array,
                        is_message(field)
                                ? (upb_MessageValue){ .msg_val = upb_Message_New(table, arena) }
                                : scalar_value(field->type, bits, arena),
                        arena));
                value.array_val = array;
        } else if (is_message(field)) {
                value.msg_val = upb_Message_New(table, arena);
        } else {
                value = scalar_value(field->type, bits, arena);
        }
        upb_Message_SetBaseField(
                message, upb_MiniTable_FindFieldByNumber(table, field->number), &value);
}

static void assert_not_flat(const upb_Message *message, const upb_MiniTable *table)
{
        size_t size = 77;

        assert_false(flat_size(message, table, &size));
        assert_int_equal(size, 77);
}

/* The bytes are in a block of just their size: a byte too many is ASan's. */
static void assert_flat(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena)
{
        size_t size = SIZE_MAX, expected_size;
        char *expected;
        uint8_t *out;

        if (table->UPB_PRIVATE(required_count) > 0) {
                assert_not_flat(message, table); /* upb looks whether they are set */
                return;
        }
        assert_int_equal(upb_Encode(message, table, 0, arena, &expected, &expected_size),
                kUpb_EncodeStatus_Ok);
        assert_true(flat_size(message, table, &size));
        assert_int_equal(size, expected_size);
        out = malloc(size);
        assert_ptr_equal(flat_write(out, message, table), out + size);
        if (size)
                assert_memory_equal(out, expected, size);
        free(out);
}

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

                assert_flat(upb_Message_New(table, arena), table, arena);
                for (size_t j = 0; j < VALUES; j++) {
                        upb_Message *message = upb_Message_New(table, arena);

                        set(message, table, &field, values[j], arena);
                        assert_flat(message, table, arena);
                }
                upb_Arena_Free(arena);
        }
}

static struct field random_field(uint64_t *random, uint32_t number)
{
        size_t i = random_upto(random, SCALARS - 1);
        struct field field = {
                .type = scalars[i].type,
                .modifiers = scalars[i].modifiers,
                .number = number,
        };

        switch (random_upto(random, 15)) {
        case 0:
                field.type = kUpb_FieldType_Message;
                field.modifiers = 0;
                break;
        case 1:
                field.type = kUpb_FieldType_Group;
                field.modifiers = 0;
                break;
        case 2:
                field.type = kUpb_FieldType_Message;
                field.modifiers = kUpb_FieldModifier_IsRepeated;
                field.map = true;
                break;
        case 3:
                field.modifiers |= kUpb_FieldModifier_IsRepeated;
                break;
        case 4:
        case 5:
        case 6:
        case 7:
        case 8:
                field.modifiers |= IMPLICIT;
                break;
        case 9:
                if (number < 60) /* there can be no more than 64 of them */
                        field.modifiers |= kUpb_FieldModifier_IsRequired;
                break;
        default:
                break;
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

/* Fills @message; whether it is flat still. */
static bool random_message(uint64_t *random, const struct field *fields, size_t n_fields,
        const upb_MiniTable *table, upb_Message *message, upb_Arena *arena)
{
        size_t fill = random_upto(random, 3);
        bool others = !random_upto(random, 3);

        for (size_t i = 0; i < n_fields; i++) {
                uint64_t bits = random_upto(random, 1)
                                        ? values[random_upto(random, VALUES - 1)]
                                        : random_u64(random) >> random_upto(random, 63);

                if (random_upto(random, 3) <= fill && (others || is_flat(&fields[i])))
                        set(message, table, &fields[i], bits, arena);
        }
        /* A member of a oneof may have been displaced by a later one. */
        for (size_t i = 0; i < n_fields; i++) {
                const upb_MiniTableField *f =
                        upb_MiniTable_FindFieldByNumber(table, fields[i].number);

                if (is_flat(&fields[i]))
                        continue;
                if (upb_MiniTableField_IsScalar(f)    ? upb_Message_HasBaseField(message, f)
                        : upb_MiniTableField_IsMap(f) ? !!upb_Message_GetMap(message, f)
                                                      : !!upb_Message_GetArray(message, f))
                        return false;
        }
        return true;
}

static void test_random_types(void **state)
{
        size_t n_flat = 0, n_not_flat = 0;

        (void)state;
        for (uint64_t seed = 1; seed <= 1500; seed++) {
                uint64_t random = seed;
                struct field fields[FIELDS_MAX];
                size_t n_fields = random_fields(&random, fields);
                upb_Arena *arena = upb_Arena_New();
                const upb_MiniTable *table = table_new(fields, n_fields, 0, arena);

                for (size_t i = 0; i < 6; i++) {
                        upb_Message *message = upb_Message_New(table, arena);

                        if (random_message(&random, fields, n_fields, table, message, arena)) {
                                assert_flat(message, table, arena);
                                n_flat++;
                        } else {
                                assert_not_flat(message, table);
                                n_not_flat++;
                        }
                }
                upb_Arena_Free(arena);
        }
        assert_true(n_flat > 5000 && n_not_flat > 500);
}

/* Written down, not asked of upb. */
static void test_bytes(void **state)
{
        static const struct field fields[] = {
                { .type = kUpb_FieldType_Int32, .number = 1, .modifiers = IMPLICIT },
                { .type = kUpb_FieldType_String, .number = 2, .modifiers = IMPLICIT },
                { .type = kUpb_FieldType_Float, .number = 16, .modifiers = IMPLICIT },
        };
        static const char expected[] = "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                       "\x12\x01x"
                                       "\x85\x01\x00\x00\x00\x80"; /* -0 is not zero */
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(fields, 3, 0, arena);
        upb_Message *message = upb_Message_New(table, arena);
        uint8_t out[sizeof(expected) - 1];
        size_t size;

        (void)state;
        assert_true(flat_size(message, table, &size));
        assert_int_equal(size, 0);
        upb_Message_SetBaseFieldInt32(message, upb_MiniTable_GetFieldByIndex(table, 0), -1);
        upb_Message_SetBaseFieldString(
                message, upb_MiniTable_GetFieldByIndex(table, 1), upb_StringView_FromString("x"));
        upb_Message_SetBaseFieldFloat(message, upb_MiniTable_GetFieldByIndex(table, 2), -0.0f);
        assert_true(flat_size(message, table, &size));
        assert_int_equal(size, sizeof(out));
        assert_ptr_equal(flat_write(out, message, table), out + sizeof(out));
        assert_memory_equal(out, expected, sizeof(out));
        upb_Arena_Free(arena);
}

/* Text of 2 GiB is said, not had: only its size is looked at. */
static void test_too_large(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Bytes, .number = 1 };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        const upb_MiniTableField *f = upb_MiniTable_GetFieldByIndex(table, 0);
        upb_Message *message = upb_Message_New(table, arena);
        size_t head = 6, size;

        (void)state;
        upb_Message_SetBaseFieldString(
                message, f, upb_StringView_FromDataAndSize("", INT32_MAX - head));
        assert_true(flat_size(message, table, &size));
        assert_int_equal(size, INT32_MAX);
        upb_Message_SetBaseFieldString(
                message, f, upb_StringView_FromDataAndSize("", INT32_MAX - head + 1));
        assert_not_flat(message, table);
        upb_Arena_Free(arena);
}

static void test_unknown_fields(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Int32, .number = 1 };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        upb_Message *message = upb_Message_New(table, arena);

        (void)state;
        assert_int_equal(
                upb_Decode("\x08\x01", 2, message, table, NULL, 0, arena), kUpb_DecodeStatus_Ok);
        assert_flat(message, table, arena);
        assert_int_equal(
                upb_Decode("\x10\x01", 2, message, table, NULL, 0, arena), kUpb_DecodeStatus_Ok);
        assert_not_flat(message, table);
        upb_Arena_Free(arena);
}

static void test_extensions(void **state)
{
        static const struct field field = { .type = kUpb_FieldType_Int32, .number = 1 };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, kUpb_MessageModifier_IsExtendable, arena);
        upb_Message *message = upb_Message_New(table, arena);
        char descriptor[64];
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        const char *end = upb_MtDataEncoder_EncodeExtension(
                &encoder, descriptor, kUpb_FieldType_Int32, 100, 0);
        const upb_MiniTableExtension *extension = upb_MiniTableExtension_Build(
                descriptor, (size_t)(end - descriptor), table, arena, NULL);
        int32_t value = 5;

        (void)state;
        assert_non_null(extension);
        set(message, table, &field, 7, arena);
        assert_flat(message, table, arena);
        assert_true(upb_Message_SetExtension(message, extension, &value, arena));
        assert_not_flat(message, table);
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_every_scalar),
                cmocka_unit_test(test_random_types),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_unknown_fields),
                cmocka_unit_test(test_extensions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
