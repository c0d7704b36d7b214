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
#include "types.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

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

/* Chains of messages, groups, maps' values, of which each is two levels: as deep as upb goes, and not deeper. */
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
                size_t levels_each = fields[i].key ? 2 : 1;
                size_t nested_max = MESSAGE_DEPTH_MAX / levels_each;

                for (size_t nested = nested_max - 2; nested <= nested_max + 3; nested++) {
                        upb_Arena *arena = upb_Arena_New();
                        struct type type = { .n_fields = 1, .fields = { fields[i] } };
                        upb_Message *message;

                        type.table = table_new(fields, 5, 0, arena);
                        message = upb_Message_New(type.table, arena);
                        for (size_t level = 0; level < nested; level++) {
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
                                nested <= nested_max ? 0 : -E2BIG);
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
