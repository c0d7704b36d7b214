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

#include "codec/framing.h"
#include "decoders.h"
#include "owner.h"

static const int decoders[] = { FAST, SLOW };

/* Both decoders, on @wire: taken, and encoded again as @expected. */
static void assert_becomes(const struct wire *wire, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, const void *expected, size_t expected_size)
{
        for (size_t i = 0; i < 2; i++) {
                upb_Arena *arena = upb_Arena_New();
                struct decoded decoded =
                        decode(wire->bytes, wire->size, table, registry, decoders[i], arena);

                assert_int_equal(decoded.status, kUpb_DecodeStatus_Ok);
                assert_int_equal(decoded.size, expected_size);
                assert_memory_equal(decoded.bytes, expected, expected_size);
                upb_Arena_Free(arena);
        }
}

static void assert_refused(
        const void *bytes, size_t size, const upb_MiniTable *table, upb_DecodeStatus status)
{
        for (size_t i = 0; i < 2; i++) {
                upb_Arena *arena = upb_Arena_New();

                assert_int_equal(
                        decode(bytes, size, table, NULL, decoders[i], arena).status, status);
                upb_Arena_Free(arena);
        }
}

/* ---- lengths ---- */

static upb_StringView element(const upb_Message *message, const upb_MiniTable *table, size_t i)
{
        const upb_Array *array =
                upb_Message_GetArray(message, upb_MiniTable_GetFieldByIndex(table, 0));

        assert_non_null(array);
        assert_true(i < upb_Array_Size(array));
        return upb_Array_Get(array, i).str_val;
}

/* "a", a text of @size, "b", @size again: as elements of field @number, with a length of @length_bytes. */
static void put_elements(struct wire *wire, uint32_t number, size_t size, size_t length_bytes)
{
        for (size_t i = 0; i < 4; i++) {
                if (i % 2 == 0) {
                        wire_bytes(wire, number, i ? "b" : "a", 1);
                        continue;
                }
                wire_tag(wire, number, kUpb_WireType_Delimited);
                wire_varint(wire, size, length_bytes);
                memset(wire_reserve(wire, size), 'x', size);
        }
}

static void assert_elements(const upb_Message *message, const upb_MiniTable *table, size_t size)
{
        const upb_Array *array =
                upb_Message_GetArray(message, upb_MiniTable_GetFieldByIndex(table, 0));

        assert_int_equal(upb_Array_Size(array), 4);
        for (size_t i = 0; i < 4; i++) {
                upb_StringView text = element(message, table, i);

                assert_int_equal(text.size, i % 2 ? size : 1);
                for (size_t j = 0; j < text.size; j += 1 + text.size / 16)
                        assert_int_equal(text.data[j], i % 2 ? 'x' : i ? 'b' : 'a');
        }
}

/* No element of a repeated string or bytes field is lost, whatever the length of its length. */
static void test_elements_of_all_lengths(void **state)
{
        static const uint32_t numbers[] = { 1, 16, 2048 };
        static const upb_FieldType types[] = { kUpb_FieldType_String, kUpb_FieldType_Bytes };

        (void)state;
        for (size_t i = 0; i < LENGTHS * 5 * 3 * 2; i++) {
                size_t size = lengths[i % LENGTHS], length_bytes = 1 + i / LENGTHS % 5;
                struct field field = { .type = types[i / LENGTHS / 15],
                        .number = numbers[i / LENGTHS / 5 % 3],
                        .modifiers =
                                kUpb_FieldModifier_IsRepeated | kUpb_FieldModifier_ValidateUtf8 };
                upb_Arena *arena = upb_Arena_New();
                const upb_MiniTable *table = table_new(&field, 1, 0, arena);
                struct wire wire = { 0 };
                upb_Message *message;

                put_elements(&wire, field.number, size, length_bytes);
                for (size_t j = 0; j < 2; j++)
                        assert_elements(
                                decode(wire.bytes, wire.size, table, NULL, decoders[j], arena)
                                        .message,
                                table, size);
                assert_int_equal(decode_aliased(&wire, table, NULL, arena, &message), 0);
                assert_elements(message, table, size);
                free(wire.bytes);
                upb_Arena_Free(arena);
        }
}

/* ---- wire types ---- */

/* Whether a field takes what wire_value() puts; that is good as packed varints, not as packed numbers of fixed size. */
static bool is_taken(upb_FieldType type, bool repeated, upb_WireType wire_type)
{
        return wire_type == wire_type_of(type) ||
               (repeated && upb_FieldType_IsPackable(type) && wire_type == kUpb_WireType_Delimited);
}

static void assert_wire_type(upb_FieldType type, uint64_t modifiers, upb_WireType wire_type,
        uint32_t number, bool is_extension)
{
        bool repeated = modifiers & kUpb_FieldModifier_IsRepeated;
        upb_Arena *arena = upb_Arena_New();
        struct field field = { .type = type, .number = number, .modifiers = modifiers };
        const upb_MiniTable *table =
                is_extension ? table_new(NULL, 0, kUpb_MessageModifier_IsExtendable, arena)
                             : table_new(&field, 1, 0, arena);
        const upb_MiniTableExtension *extension =
                is_extension ? extension_new(type, number, modifiers, table, arena) : NULL;
        const upb_ExtensionRegistry *registry =
                extension ? registry_new(&extension, 1, arena) : NULL;
        struct wire wire = { 0 };

        wire_value(&wire, number, wire_type);
        if (!is_taken(type, repeated, wire_type)) {
                for (size_t i = 0; i < 2; i++) {
                        upb_Message *message =
                                decode(wire.bytes, wire.size, table, registry, decoders[i], arena)
                                        .message;
                        uintptr_t iterator = kUpb_Message_UnknownBegin;
                        upb_StringView unknown;

                        assert_true(upb_Message_NextUnknown(message, &unknown, &iterator));
                        assert_int_equal(unknown.size, wire.size);
                }
                assert_becomes(&wire, table, registry, wire.bytes, wire.size);
        }
        free(wire.bytes);
        upb_Arena_Free(arena);
}

/* What comes with another wire type than its field's is kept as an unknown field, for every kind of field. */
static void test_other_wire_types(void **state)
{
        static const upb_FieldType messages[] = { kUpb_FieldType_Message, kUpb_FieldType_Group };
        static const uint64_t labels[] = { 0, kUpb_FieldModifier_IsRepeated,
                kUpb_FieldModifier_IsRepeated | kUpb_FieldModifier_IsPacked };
        static const uint32_t numbers[] = { 3, 21, 3000 };

        (void)state;
        for (size_t i = 0; i < (SCALARS + 2) * 3 * WIRE_TYPES * 3 * 2; i++) {
                size_t kind = i % (SCALARS + 2), label = i / (SCALARS + 2) % 3;
                size_t rest = i / (SCALARS + 2) / 3;
                upb_FieldType type = kind < SCALARS ? scalars[kind].type : messages[kind - SCALARS];
                uint64_t modifiers = labels[label] | (kind < SCALARS ? scalars[kind].modifiers : 0);

                if (label == 2 && !upb_FieldType_IsPackable(type))
                        continue;
                assert_wire_type(type, modifiers, wire_types[rest % WIRE_TYPES],
                        numbers[rest / WIRE_TYPES % 3], rest / WIRE_TYPES / 3);
        }
}

/* A map's entries, too. */
static void test_other_wire_types_for_a_map(void **state)
{
        struct field map = { .type = kUpb_FieldType_Message,
                .number = 7,
                .modifiers = kUpb_FieldModifier_IsRepeated,
                .key = kUpb_FieldType_Int32,
                .value = kUpb_FieldType_Message };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&map, 1, 0, arena);

        (void)state;
        for (size_t i = 0; i < WIRE_TYPES; i++) {
                struct wire wire = { 0 };

                if (wire_types[i] == kUpb_WireType_Delimited)
                        continue;
                wire_value(&wire, map.number, wire_types[i]);
                assert_becomes(&wire, table, NULL, wire.bytes, wire.size);
                free(wire.bytes);
        }
        upb_Arena_Free(arena);
}

/* As Python has it, which takes none of these. */
static void test_groups_that_do_not_match(void **state)
{
        static const struct field fields[] = {
                { .type = kUpb_FieldType_Message, .number = 1 },
                { .type = kUpb_FieldType_Group, .number = 2 },
                { .type = kUpb_FieldType_Group,
                        .number = 3,
                        .modifiers = kUpb_FieldModifier_IsRepeated },
        };
        static const char *const refused[] = { "\x13", "\x13\x1c", "\x1b\x14", "\x14", "\x04",
                "\x93\x03", "\x93\x03\x9c\x03", "\x93\x03\x9b\x03\x94\x03\x9c\x03", "\x93\x03\x04",
                "\x0a\x01\x13", "\x0a\x01\x14", "\x13\x0a\x01\x14\x14", "\x16", "\x17",
                "\x93\x03\x0f\x94\x03", "\x1a\x02\x1b" };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(fields, 3, 0, arena);

        (void)state;
        for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
                assert_refused(refused[i], strlen(refused[i]), table, kUpb_DecodeStatus_Malformed);
        upb_Arena_Free(arena);
}

/* ---- closed enums ---- */

/* @value in a list of 1, @value, 2, which is field @number: packed, or with a tag each. */
static void put_enums(struct wire *wire, uint32_t number, bool packed, uint64_t value)
{
        const uint64_t enums[] = { 1, value, 2 };
        struct wire inner = { 0 };

        for (size_t i = 0; i < 3; i++) {
                if (!packed)
                        wire_tag(wire, number, kUpb_WireType_Varint);
                wire_varint(packed ? &inner : wire, enums[i], 1);
        }
        if (packed)
                wire_bytes(wire, number, inner.bytes, inner.size);
        free(inner.bytes);
}

/*
 * Values that are not in the enum are unknown fields, with all their bits: behind what is known, in a
 * field of their own. As Python has it, for fields and extensions, declared packed or not, sent packed or not.
 */
static void test_unknown_enum_values(void **state)
{
        static const uint64_t unknown[] = { (uint64_t)-1, (uint64_t)-5, (uint64_t)INT32_MIN,
                4294967291, 3, ((uint64_t)1 << 35) + 7, (uint64_t)1 << 63 | 9, INT32_MAX };

        (void)state;
        for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown) * 8; i++) {
                uint64_t value = unknown[i / 8];
                bool is_packed = i & 1, sent_packed = i & 2, is_extension = i & 4;
                uint64_t modifiers = kUpb_FieldModifier_IsRepeated |
                                     kUpb_FieldModifier_IsClosedEnum |
                                     (is_packed ? kUpb_FieldModifier_IsPacked : 0);
                struct field field = {
                        .type = kUpb_FieldType_Enum, .number = 102, .modifiers = modifiers
                };
                upb_Arena *arena = upb_Arena_New();
                const upb_MiniTable *table =
                        is_extension ? table_new(NULL, 0, kUpb_MessageModifier_IsExtendable, arena)
                                     : table_new(&field, 1, 0, arena);
                const upb_MiniTableExtension *extension =
                        is_extension
                                ? extension_new(field.type, field.number, modifiers, table, arena)
                                : NULL;
                struct wire wire = { 0 }, expected = { 0 };

                put_enums(&wire, field.number, sent_packed, value);
                if (is_packed)
                        wire_bytes(&expected, field.number, "\x01\x02", 2);
                else
                        wire_put(&expected, "\xb0\x06\x01\xb0\x06\x02", 6);
                wire_tag(&expected, field.number, kUpb_WireType_Varint);
                wire_varint(&expected, value, 1);
                assert_becomes(&wire, table, extension ? registry_new(&extension, 1, arena) : NULL,
                        expected.bytes, expected.size);
                free(wire.bytes);
                free(expected.bytes);
                upb_Arena_Free(arena);
        }
}

/* A map's entry with such a value stays as it came. */
static void test_unknown_enum_values_of_a_map(void **state)
{
        static const char entry[] = "\x3a\x0d\x08\x05\x10\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        struct field field = { .type = kUpb_FieldType_Message,
                .number = 7,
                .modifiers = kUpb_FieldModifier_IsRepeated,
                .key = kUpb_FieldType_Int32,
                .value = kUpb_FieldType_Enum,
                .value_modifiers = kUpb_FieldModifier_IsClosedEnum };
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = table_new(&field, 1, 0, arena);
        struct wire wire = { (uint8_t *)entry, sizeof(entry) - 1, 0 };

        (void)state;
        assert_becomes(&wire, table, NULL, entry, sizeof(entry) - 1);
        upb_Arena_Free(arena);
}

/* ---- depth ---- */

enum nesting { MESSAGES, GROUPS, MAPS, EXTENSIONS, UNKNOWN_GROUPS, NESTINGS };

/* @inner within one level more, or two: a map's entry is one. */
static struct wire nest(enum nesting nesting, struct wire inner)
{
        struct wire wire = { 0 }, entry = { 0 };

        switch (nesting) {
        case MESSAGES:
                wire_bytes(&wire, 1, inner.bytes, inner.size);
                break;
        case MAPS:
                wire_put(&entry, "\x08\x01", 2);
                wire_bytes(&entry, 2, inner.bytes, inner.size);
                wire_bytes(&wire, 3, entry.bytes, entry.size);
                break;
        case EXTENSIONS:
                wire_bytes(&wire, 100, inner.bytes, inner.size);
                break;
        default:
                wire_tag(&wire, nesting == GROUPS ? 2 : 50, kUpb_WireType_StartGroup);
                wire_put(&wire, inner.bytes, inner.size);
                wire_tag(&wire, nesting == GROUPS ? 2 : 50, kUpb_WireType_EndGroup);
                break;
        }
        free(inner.bytes);
        free(entry.bytes);
        return wire;
}

/* 100 levels, in both directions, as Python's protobuf has it: what was decoded can be encoded, and no more is decoded. */
static void test_depth(void **state)
{
        static const struct field fields[] = {
                { .type = kUpb_FieldType_Message, .number = 1 },
                { .type = kUpb_FieldType_Group, .number = 2 },
                { .type = kUpb_FieldType_Message,
                        .number = 3,
                        .modifiers = kUpb_FieldModifier_IsRepeated,
                        .key = kUpb_FieldType_Int32,
                        .value = kUpb_FieldType_Message },
        };
        upb_Arena *tables = upb_Arena_New();
        const upb_MiniTable *table =
                table_new(fields, 3, kUpb_MessageModifier_IsExtendable, tables);
        const upb_MiniTableExtension *extension =
                extension_new(kUpb_FieldType_Message, 100, 0, table, tables);
        const upb_ExtensionRegistry *registry = registry_new(&extension, 1, tables);

        (void)state;
        for (enum nesting nesting = 0; nesting < NESTINGS; nesting++) {
                size_t max = nesting == MAPS ? 50 : 100;
                struct wire wire = { 0 };

                for (size_t levels = 1; levels <= max + 2; levels++) {
                        upb_Arena *arena = upb_Arena_New();
                        struct owner owner = { .encoder.bytes_max = SIZE_MAX,
                                .block_bytes_max = 500,
                                .blocks_left = SIZE_MAX };
                        upb_Message *message;
                        uint8_t *bytes = NULL;
                        size_t size;
                        int r;

                        wire = nest(nesting, wire);
                        r = decode_aliased(&wire, table, registry, arena, &message);
                        if (levels > max) {
                                assert_true(r == -E2BIG ||
                                            (nesting == UNKNOWN_GROUPS && r == -EBADMSG));
                        } else {
                                assert_int_equal(r, 0);
                                assert_int_equal(
                                        owner_encode(&owner, message, table, &bytes, &size), 0);
                                assert_int_equal(size, FRAMING_PREFIX_BYTES + wire.size);
                                assert_memory_equal(
                                        bytes + FRAMING_PREFIX_BYTES, wire.bytes, wire.size);
                                free(bytes);
                                assert_becomes(&wire, table, registry, wire.bytes, wire.size);
                        }
                        upb_Arena_Free(arena);
                }
                free(wire.bytes);
        }
        upb_Arena_Free(tables);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_elements_of_all_lengths),
                cmocka_unit_test(test_other_wire_types),
                cmocka_unit_test(test_other_wire_types_for_a_map),
                cmocka_unit_test(test_groups_that_do_not_match),
                cmocka_unit_test(test_unknown_enum_values),
                cmocka_unit_test(test_unknown_enum_values_of_a_map),
                cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests_name("codec/decode", tests, NULL, NULL);
}
