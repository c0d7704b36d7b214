/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "codec/message.h"
#include "types.h"
#include "upb/mini_table/extension_registry.h"
#include "upb/wire/encode.h"
#include "wire.h"

/*
 * Messages that a peer made so that they take long to decode, beside honest ones of the same size. What is bounded is
 * a ratio, and the time is that of this thread: a busy machine changes neither by much.
 */

#define KEYS_MANY 100000
#define TRIES 5 /* the best of them */

/* Keys that collided when integers were hashed by low ^ high, or strings by wyhash with its public salt. */
enum shape { SPREAD, COLLIDING, DENSE, SHIFTED, KEY_SHAPES };

static uint64_t integer_key(enum shape shape, uint64_t i)
{
        switch (shape) {
        case COLLIDING:
                return (i + 1) << 32 | (i + 1);
        case DENSE:
                return i;
        case SHIFTED:
                return i << 40;
        default:
                return random_u64(&i);
        }
}

#define STRING_KEY_BYTES 16

static void string_key(enum shape shape, uint64_t i, char *key)
{
        static const uint64_t salt = 0x13198a2e03707344;
        uint64_t first = shape == COLLIDING ? salt : shape == SPREAD ? random_u64(&i) : 0;

        memcpy(key, &first, 8);
        memcpy(key + 8, &i, 8);
}

static void put_entry(struct wire *wire, upb_FieldType type, enum shape shape, uint64_t i)
{
        struct wire entry = { 0 };
        char key[STRING_KEY_BYTES];

        if (type == kUpb_FieldType_String) {
                string_key(shape, i, key);
                wire_bytes(&entry, 1, key, sizeof(key));
        } else if (type == kUpb_FieldType_Fixed64) {
                uint64_t value = integer_key(shape, i);

                wire_tag(&entry, 1, kUpb_WireType_64Bit);
                wire_put(&entry, &value, sizeof(value));
        } else {
                wire_tag(&entry, 1, kUpb_WireType_Varint);
                wire_varint(
                        &entry, integer_key(shape, i), 10); /* of one size, whatever the key is */
        }
        wire_bytes(wire, 1, entry.bytes, entry.size);
        free(entry.bytes);
}

static const upb_MiniTable *map_table_new(upb_FieldType key, upb_Arena *arena)
{
        struct field field = { .type = kUpb_FieldType_Message,
                .number = 1,
                .modifiers = kUpb_FieldModifier_IsRepeated,
                .key = key,
                .value = kUpb_FieldType_Int32 };

        return table_new(&field, 1, 0, arena);
}

static double thread_s(void)
{
        struct timespec time;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double decode_s(
        const struct wire *wire, const upb_MiniTable *table, const upb_ExtensionRegistry *registry)
{
        double best = 1e9;

        for (size_t i = 0; i < TRIES; i++) {
                upb_Arena *arena = upb_Arena_New();
                double start = thread_s(), took;
                upb_Message *message;

                assert_int_equal(message_decode(wire->bytes, wire->size, table, registry, arena,
                                         &message, NULL),
                        0);
                took = thread_s() - start;
                best = took < best ? took : best;
                upb_Arena_Free(arena);
        }
        return best;
}

static void assert_keys_are_alike(upb_FieldType type)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = map_table_new(type, arena);
        double spread_s = 0;

        for (enum shape shape = SPREAD; shape < KEY_SHAPES; shape++) {
                struct wire wire = { 0 };
                double took_s;

                for (uint64_t i = 0; i < KEYS_MANY; i++)
                        put_entry(&wire, type, shape, i);
                took_s = decode_s(&wire, table, NULL);
                if (shape == SPREAD)
                        spread_s = took_s;
                else if (took_s > 2 * spread_s)
                        fail_msg("keys of shape %d took %.4f s, spread ones %.4f s", (int)shape,
                                took_s, spread_s);
                free(wire.bytes);
        }
        upb_Arena_Free(arena);
}

static void test_integer_keys(void **state)
{
        (void)state;
        assert_keys_are_alike(kUpb_FieldType_Int64);
        assert_keys_are_alike(kUpb_FieldType_Fixed64);
}

static void test_string_keys(void **state)
{
        (void)state;
        assert_keys_are_alike(kUpb_FieldType_String);
}

/*
 * An answer that holds a map shows the order of its hashes. Sent back, it is no worse than any: were the keys hashed as
 * before, they would crowd a part of the table while it grows.
 */
static void test_keys_in_the_order_of_an_answer(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = map_table_new(kUpb_FieldType_Int64, arena);
        struct wire wire = { 0 }, answer = { 0 };
        upb_Message *message;
        double first_s, again_s;

        (void)state;
        for (uint64_t i = 0; i < KEYS_MANY; i++)
                put_entry(&wire, kUpb_FieldType_Int64, SPREAD, i);
        first_s = decode_s(&wire, table, NULL);
        assert_int_equal(
                message_decode(wire.bytes, wire.size, table, NULL, arena, &message, NULL), 0);
        assert_int_equal(upb_Encode(message, table, 0, arena, (char **)&answer.bytes, &answer.size),
                kUpb_EncodeStatus_Ok);
        again_s = decode_s(&answer, table, NULL);
        if (again_s > 2 * first_s)
                fail_msg("%.4f s, and before %.4f s", again_s, first_s);
        free(wire.bytes);
        upb_Arena_Free(arena);
}

/* One key, again and again, is one entry and no tombstones. */
static void test_one_key(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = map_table_new(kUpb_FieldType_Int64, arena);
        struct wire once = { 0 }, again = { 0 };
        upb_Message *message;
        double spread_s, took_s;

        (void)state;
        for (uint64_t i = 0; i < KEYS_MANY; i++) {
                put_entry(&once, kUpb_FieldType_Int64, SPREAD, i);
                put_entry(&again, kUpb_FieldType_Int64, SPREAD, i % 2);
        }
        spread_s = decode_s(&once, table, NULL);
        took_s = decode_s(&again, table, NULL);
        assert_true(took_s <= 2 * spread_s);
        assert_int_equal(
                message_decode(again.bytes, again.size, table, NULL, arena, &message, NULL), 0);
        assert_int_equal(
                upb_Map_Size(upb_Message_GetMap(message, upb_MiniTable_GetFieldByIndex(table, 0))),
                2);
        free(once.bytes);
        free(again.bytes);
        upb_Arena_Free(arena);
}

/* Every key is found again, in the table that it is in and not in another: they have keys of their own. */
static void test_tables_of_their_own(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Map *maps[3];

        (void)state;
        for (size_t i = 0; i < 3; i++)
                maps[i] = upb_Map_New(arena, kUpb_CType_Int64, kUpb_CType_Int64);
        for (int64_t key = 0; key < 3000; key++)
                assert_true(upb_Map_Set(maps[key % 3], (upb_MessageValue){ .int64_val = key },
                        (upb_MessageValue){ .int64_val = -key }, arena));
        for (int64_t key = 0; key < 3000; key += 2)
                assert_true(upb_Map_Delete(
                        maps[key % 3], (upb_MessageValue){ .int64_val = key }, NULL));
        for (int64_t key = 0; key < 3000; key++)
                for (size_t i = 0; i < 3; i++) {
                        upb_MessageValue value;
                        bool expected = key % 2 == 1 && (size_t)(key % 3) == i;

                        assert_int_equal(upb_Map_Get(maps[i],
                                                 (upb_MessageValue){ .int64_val = key }, &value),
                                expected);
                        if (expected)
                                assert_int_equal(value.int64_val, -key);
                }
        upb_Arena_Free(arena);
}

/* Two extensions: one splits unknown fields into many, the other is to be found behind them. */
static void put_extensions(struct wire *wire, bool hostile)
{
        for (size_t i = 0; i < KEYS_MANY; i++) {
                wire_value(wire, 100, kUpb_WireType_Varint);
                wire_value(wire, 3, kUpb_WireType_Varint); /* unknown */
                if (!hostile)
                        wire_value(wire, 101, kUpb_WireType_Varint);
        }
        for (size_t i = 0; hostile && i < KEYS_MANY; i++)
                wire_value(wire, 101, kUpb_WireType_Varint);
}

static void test_extensions_behind_unknown_fields(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(NULL, 0, kUpb_MessageModifier_IsExtendable, arena);
        const upb_MiniTableExtension *extensions[] = {
                extension_new(kUpb_FieldType_Int32, 100, 0, table, arena),
                extension_new(kUpb_FieldType_Int32, 101, 0, table, arena),
        };
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
        struct wire honest = { 0 }, hostile = { 0 };
        double honest_s, hostile_s;

        (void)state;
        assert_int_equal(upb_ExtensionRegistry_AddArray(registry, extensions, 2),
                kUpb_ExtensionRegistryStatus_Ok);
        put_extensions(&honest, false);
        put_extensions(&hostile, true);
        honest_s = decode_s(&honest, table, registry);
        hostile_s = decode_s(&hostile, table, registry);
        if (hostile_s > 2 * honest_s)
                fail_msg("%.4f s, an honest message %.4f s", hostile_s, honest_s);
        free(honest.bytes);
        free(hostile.bytes);
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_integer_keys),
                cmocka_unit_test(test_string_keys),
                cmocka_unit_test(test_keys_in_the_order_of_an_answer),
                cmocka_unit_test(test_one_key),
                cmocka_unit_test(test_tables_of_their_own),
                cmocka_unit_test(test_extensions_behind_unknown_fields),
        };

        return cmocka_run_group_tests_name("codec/flood", tests, NULL, NULL);
}
