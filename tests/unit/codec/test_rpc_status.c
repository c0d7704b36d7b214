/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/rpc_status.h"

static upb_StringView text(const char *string)
{
        return upb_StringView_FromString(string);
}

/* Into memory of just its size, so that a sanitizer sees a byte too many. */
static void assert_bytes(const struct rpc_status *status, const char *expected, size_t size)
{
        uint8_t *bytes = malloc(size + 1);

        assert_int_equal(rpc_status_size(status), size);
        bytes[size] = 'x';
        rpc_status_write(status, bytes);
        assert_memory_equal(bytes, expected, size);
        assert_int_equal(bytes[size], 'x');
        free(bytes);
}

#define ASSERT_BYTES(status, expected) assert_bytes(status, expected, sizeof(expected) - 1)

static void test_fields(void **state)
{
        const struct rpc_detail details[] = {
                { text("a.B"), text("xyz") },
                { text("example.org/a.B"), text("") },
        };

        (void)state;
        ASSERT_BYTES((&(struct rpc_status){ .status = QUOIT_NOT_FOUND }), "\x08\x05");
        ASSERT_BYTES((&(struct rpc_status){ .status = QUOIT_ABORTED, .message = text("no") }),
                "\x08\x0a\x12\x02no");
        ASSERT_BYTES(
                (&(struct rpc_status){ .status = QUOIT_ABORTED, .details = details, .count = 2 }),
                "\x08\x0a"
                "\x1a\x1e\x0a\x17type.googleapis.com/a.B\x12\x03xyz"
                "\x1a\x11\x0a\x0f"
                "example.org/a.B");
}

/* Lengths of two bytes, which need to be right in what encloses them too. */
static void test_long(void **state)
{
        char value[200];
        const struct rpc_detail detail = { text("u/T"), { value, sizeof(value) } };
        const struct rpc_status status = {
                .status = QUOIT_INTERNAL, .details = &detail, .count = 1
        };
        uint8_t bytes[256];

        (void)state;
        memset(value, 'v', sizeof(value));
        assert_int_equal(rpc_status_size(&status), 2 + 3 + 5 + 3 + sizeof(value));
        rpc_status_write(&status, bytes);
        assert_memory_equal(bytes, "\x08\x0d\x1a\xd0\x01\x0a\x03u/T\x12\xc8\x01vvv", 16);
}

static bool next(upb_StringView *status, const char *type, const char *value)
{
        struct rpc_detail detail;

        return rpc_status_next_detail(status, &detail) &&
               upb_StringView_IsEqual(detail.type, text(type)) &&
               upb_StringView_IsEqual(detail.value, text(value));
}

/* Of a status that has other fields too, and of one that was cut off. */
static void test_details_are_read(void **state)
{
        static const char bytes[] =
                "\x08\x0a\x1a\x03\x0a\x01"
                "a\x12\x02no\x1a\x08\x12\x02xy\x18\x07\x0a\x00\x1a\x00\x18\x01\x1a\x09\x0a";
        upb_StringView status = { bytes, sizeof(bytes) - 1 }, none = { "", 0 };
        struct rpc_detail detail;

        (void)state;
        assert_true(next(&status, "a", ""));
        assert_true(next(&status, "", "xy"));
        assert_true(next(&status, "", ""));
        assert_false(rpc_status_next_detail(&status, &detail));
        assert_false(rpc_status_next_detail(&none, &detail));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_details_are_read),
        };

        return cmocka_run_group_tests_name("codec/rpc_status", tests, NULL, NULL);
}
