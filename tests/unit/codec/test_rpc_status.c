/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_long),
        };

        return cmocka_run_group_tests_name("codec/rpc_status", tests, NULL, NULL);
}
