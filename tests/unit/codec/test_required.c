/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/message.h"
#include "upb/mini_descriptor/decode.h"
#include "upb/mini_descriptor/internal/encode.h"
#include "upb/mini_descriptor/internal/modifiers.h"
#include "upb/mini_descriptor/link.h"

#include <errno.h>

/*
 * message Item {
 *         required int32 a = 1; optional Item sub = 2; repeated Item list = 3; oneof o { Item chosen = 4; int32 b = 5; }
 * }
 */
static const upb_MiniTable *item_table_new(upb_Arena *arena)
{
        static const struct {
                upb_FieldType type;
                uint64_t modifiers;
        } fields[] = {
                { kUpb_FieldType_Int32, kUpb_FieldModifier_IsRequired },
                { kUpb_FieldType_Message, 0 },
                { kUpb_FieldType_Message, kUpb_FieldModifier_IsRepeated },
                { kUpb_FieldType_Message, 0 },
                { kUpb_FieldType_Int32, 0 },
        };
        char descriptor[128], *p;
        upb_MtDataEncoder encoder = { .end = descriptor + sizeof(descriptor) };
        upb_Status status;
        upb_MiniTable *table;

        p = upb_MtDataEncoder_StartMessage(&encoder, descriptor, 0);
        for (uint32_t i = 0; i < 5; i++)
                p = upb_MtDataEncoder_PutField(
                        &encoder, p, fields[i].type, i + 1, fields[i].modifiers);
        p = upb_MtDataEncoder_StartOneof(&encoder, p);
        p = upb_MtDataEncoder_PutOneofField(&encoder, p, 4);
        p = upb_MtDataEncoder_PutOneofField(&encoder, p, 5);
        table = upb_MiniTable_Build(descriptor, (size_t)(p - descriptor), arena, &status);
        assert_non_null(table);
        for (uint32_t number = 2; number <= 4; number++)
                assert_true(upb_MiniTable_SetSubMessage(table,
                        (upb_MiniTableField *)upb_MiniTable_FindFieldByNumber(table, number),
                        table));
        return table;
}

#define DECODE(...) decode((const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static int decode(const uint8_t *data, size_t size)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message;
        int r = message_decode(data, size, item_table_new(arena), NULL, arena, &message, NULL);

        upb_Arena_Free(arena);
        return r;
}

static void test_what_is_missing(void **state)
{
        (void)state;
        assert_int_equal(DECODE(0x08, 1), 0);
        assert_int_equal(DECODE(0x28, 1), -ENODATA);
        assert_int_equal(DECODE(0x08, 1, 0x12, 0), -ENODATA);
        assert_int_equal(DECODE(0x08, 1, 0x1a, 2, 0x08, 1, 0x1a, 0), -ENODATA);
        assert_int_equal(DECODE(0x08, 1, 0x22, 0), -ENODATA);
        assert_int_equal(DECODE(0x08, 1, 0x12, 4, 0x08, 1, 0x1a, 0), -ENODATA);
}

/* A message may come in parts, each of which lacks what the other has. */
static void test_what_comes_later(void **state)
{
        (void)state;
        assert_int_equal(DECODE(0x08, 1, 0x12, 0, 0x12, 2, 0x08, 1), 0);
        assert_int_equal(DECODE(0x12, 2, 0x28, 1, 0x08, 1, 0x12, 2, 0x08, 1), 0);
        assert_int_equal(DECODE(0x08, 1, 0x12, 2, 0x12, 0, 0x12, 6, 0x08, 1, 0x12, 2, 0x08, 1), 0);
        assert_int_equal(DECODE(0x08, 1, 0x22, 0, 0x22, 2, 0x08, 1), 0);
        assert_int_equal(DECODE(0x08, 1, 0x1a, 0, 0x1a, 2, 0x08, 1), -ENODATA);
}

/* What another member of its oneof has taken the place of is not missed. */
static void test_what_is_gone(void **state)
{
        (void)state;
        assert_int_equal(DECODE(0x08, 1, 0x22, 0, 0x28, 1), 0);
        assert_int_equal(DECODE(0x08, 1, 0x28, 1, 0x22, 0), -ENODATA);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_missing),
                cmocka_unit_test(test_what_comes_later),
                cmocka_unit_test(test_what_is_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
