/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call/fields.h"

#include <errno.h>

static int receive(struct fields *fields, upb_Arena *arena, const char *name, const char *value)
{
        return fields_receive(fields, arena, name, strlen(name), value, strlen(value), 5);
}

static int send(struct fields *fields, upb_Arena *arena, const char *name, const char *value)
{
        return fields_send(fields, arena, name, value, strlen(value), 1000);
}

static void assert_field(
        const struct field *field, const char *name, const char *value, size_t size)
{
        assert_non_null(field);
        assert_int_equal(field->name_size, strlen(name));
        assert_memory_equal(field->name, name, field->name_size);
        assert_int_equal(field->value_size, size);
        if (size > 0)
                assert_memory_equal(field->value, value, size);
}

static void test_received_in_order(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };
        char name[] = "x-a", value[] = "one";

        (void)state;
        assert_int_equal(receive(&fields, arena, name, value), 0);
        memset(name, '!', 3); /* copies were made */
        memset(value, '!', 3);
        assert_int_equal(receive(&fields, arena, "x-b", ""), 0);
        assert_int_equal(receive(&fields, arena, "x-a", "two"), 0);
        assert_int_equal(fields.count, 3);
        assert_int_equal(fields.bytes, 6 + 3 + 6 + 3 * FIELD_OVERHEAD_BYTES);
        assert_field(fields.first, "x-a", "one", 3);
        assert_field(fields.first->next, "x-b", "", 0);
        assert_field(fields.first->next->next, "x-a", "two", 3);
        assert_null(fields.first->next->next->next);
        assert_ptr_equal(fields.last, fields.first->next->next);
        upb_Arena_Free(arena);
}

/* Split at commas first, then decoded; a value that is not base64 is dropped, the others stay. */
static void test_received_binary(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };

        (void)state;
        assert_int_equal(receive(&fields, arena, "x-bin", "AAEC,?,AwQ=,"), 0);
        assert_field(fields.first, "x-bin", "\0\1\2", 3);
        assert_field(fields.first->next, "x-bin", "\3\4", 2);
        for (const struct field *field = fields.first; field; field = field->next)
                assert_memory_equal(field->name, "x-bin", 5);
        upb_Arena_Free(arena);
}

static void test_received_and_dropped(void **state)
{
        static const char *const bad[][2] = {
                { "grpc-tags", "reserved" },
                { "grpc-x-bin", "AAEC" },
                { "x a", "space in the name" },
                { "X-Upper", "case" },
                { "x", "caf\xc3\xa9" },
                { "x", "\x7f" },
        };
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                assert_int_equal(receive(&fields, arena, bad[i][0], bad[i][1]), 0);
                assert_int_equal(fields.count, 0);
        }
        upb_Arena_Free(arena);
}

static void test_sent(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };

        (void)state;
        assert_int_equal(send(&fields, arena, "x-a", "one"), 0);
        assert_int_equal(fields_send(&fields, arena, "x-bin", "\0\1\2\3", 4, 1000), 0);
        assert_int_equal(fields_send(&fields, arena, "x-none", NULL, 0, 1000), 0);
        assert_field(fields.first, "x-a", "one", 3);
        assert_field(fields.first->next, "x-bin", "AAECAw", 6);
        assert_field(fields.last, "x-none", "", 0);
        assert_int_equal(fields.bytes, 6 + 11 + 6 + 3 * FIELD_OVERHEAD_BYTES);
        upb_Arena_Free(arena);
}

static void test_not_sent(void **state)
{
        static const char *const bad[][2] = {
                { "grpc-status", "0" },
                { ":path", "/" },
                { "content-type", "text/html" },
                { "te", "x" },
                { "connection", "close" },
                { "content-length", "3" },
                { "Upper", "x" },
                { "", "x" },
                { "x", "a\nb" },
                { "x", "\xff" },
        };
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                if (send(&fields, arena, bad[i][0], bad[i][1]) != -EINVAL)
                        fail_msg("%s: %s was taken", bad[i][0], bad[i][1]);
        }
        assert_int_equal(fields.count, 0);
        upb_Arena_Free(arena);
}

/* The limit is for all fields as encoded on the wire, with the overhead of each. */
static void test_limit(void **state)
{
        const size_t limit = 100 + 2 * FIELD_OVERHEAD_BYTES;
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };
        char value[200];

        (void)state;
        memset(value, 'v', sizeof(value));
        assert_int_equal(fields_send(&fields, arena, "x", value, 132, limit), -E2BIG);
        assert_int_equal(fields_send(&fields, arena, "x", value, 200, limit), -E2BIG);
        assert_int_equal(fields_send(&fields, arena, "x", value, 49, limit), 0);
        assert_int_equal(fields_send(&fields, arena, "x", value, 50, limit), -E2BIG);
        assert_int_equal(fields_send(&fields, arena, "x-bin", value, 35, limit), -E2BIG);
        assert_int_equal(fields_send(&fields, arena, "x", value, 49, limit), 0);
        assert_int_equal(fields.bytes, limit);
        assert_int_equal(fields_send(&fields, arena, "x", "", 0, limit), -E2BIG);
        assert_int_equal(fields.count, 2);
        upb_Arena_Free(arena);
}

/* One header of a peer can hold any number of values: each value counts. */
static void test_count_limit(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct fields fields = { 0 };

        (void)state;
        assert_int_equal(receive(&fields, arena, "x-bin", "AA,AQ,Ag,Aw,BA"), 0);
        assert_int_equal(fields.count, 5);
        fields = (struct fields){ 0 };
        assert_int_equal(receive(&fields, arena, "x-bin", "AA,AQ,Ag,Aw,BA,BQ"), -E2BIG);
        assert_int_equal(fields.count, 5);
        upb_Arena_Free(arena);
}

/* The last value of a name stands for all of them, and the others keep their order. */
static void test_replaced(void **state)
{
        static const char *const names[] = { "x", "y", "x", "xx", "x", "z" };
        struct fields fields = { 0 };
        upb_Arena *arena = upb_Arena_New();
        upb_StringView name, value;
        char order[16] = "";
        size_t cursor = 0, bytes;

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char digit = (char)('0' + i);

                assert_int_equal(fields_send(&fields, arena, names[i], &digit, 1, 1000), 0);
        }
        fields_replace_by_last(&fields); /* "z" is alone */
        assert_int_equal(fields.count, 6);
        bytes = fields.bytes;
        assert_int_equal(fields_send(&fields, arena, "x", "6", 1, 1000), 0);
        fields_replace_by_last(&fields);
        while (fields_next(&fields, &cursor, &name, &value))
                strncat(order, value.data, value.size);
        assert_string_equal(order, "1356");
        assert_int_equal(fields.count, 4);
        assert_int_equal(fields.bytes, bytes - 2 * (2 + FIELD_OVERHEAD_BYTES));
        assert_int_equal(
                fields_send(&fields, arena, "w", "7", 1, 1000), 0); /* behind the last one */
        assert_true(fields_find(&fields, "w", &value));
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_received_in_order),
                cmocka_unit_test(test_received_binary),
                cmocka_unit_test(test_received_and_dropped),
                cmocka_unit_test(test_sent),
                cmocka_unit_test(test_not_sent),
                cmocka_unit_test(test_replaced),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_count_limit),
        };

        return cmocka_run_group_tests_name("call/fields", tests, NULL, NULL);
}
