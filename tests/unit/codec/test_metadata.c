/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "codec/metadata.h"
#include "random.h"

#include <errno.h>

static void test_every_byte(void **state)
{
        (void)state;
        for (unsigned int c = 0; c < 256; c++) {
                char text[3] = { 'a', (char)c, 'z' };
                bool good = c && strchr("abcdefghijklmnopqrstuvwxyz0123456789_-.", (int)c);

                assert_int_equal(metadata_name_valid(text, 3), good);
                assert_int_equal(metadata_name_valid(text + 1, 1), good);
                assert_int_equal(metadata_value_valid(text, 3), c >= 0x20 && c <= 0x7e);
        }
        assert_false(metadata_name_valid("", 0));
        assert_false(metadata_name_valid(":path", 5));
        assert_true(metadata_value_valid("", 0));
}

/* Every byte at every place of values that are looked at eight bytes at a time. */
static void test_long_values(void **state)
{
        char value[24];

        (void)state;
        for (size_t size = 1; size <= sizeof(value); size++) {
                for (size_t at = 0; at < size; at++) {
                        for (int c = 0; c < 256; c++) {
                                memset(value, c & 1 ? ' ' : '~', sizeof(value));
                                value[at] = (char)c;
                                assert_int_equal(
                                        metadata_value_valid(value, size), c >= 0x20 && c <= 0x7e);
                        }
                }
        }
}

static void test_reserved_and_binary(void **state)
{
        (void)state;
        assert_true(metadata_name_reserved("grpc-", 5));
        assert_true(metadata_name_reserved("grpc-status", 11));
        assert_true(metadata_name_reserved("grpc-trace", 10));
        assert_true(metadata_name_reserved("grpc-status-details-bin", 23));
        assert_false(metadata_name_reserved("grpc-trace-bin", 14));
        assert_false(metadata_name_reserved("grpc-retry-pushback-ms", 22));
        assert_false(metadata_name_reserved("grpc-previous-rpc-attempts", 26));
        assert_false(metadata_name_reserved("grpc", 4));
        assert_false(metadata_name_reserved("grpcx-status", 12));
        assert_false(metadata_name_reserved("x-grpc-status", 13));
        assert_true(metadata_name_binary("x-bin", 5));
        assert_true(metadata_name_binary("--bin", 5));
        assert_false(metadata_name_binary("-bin", 4));
        assert_false(metadata_name_binary("bin", 3));
        assert_false(metadata_name_binary("x-bin2", 6));
        assert_false(metadata_name_binary("x-Bin", 5));
        assert_false(metadata_name_binary("", 0));
}

static void assert_next(struct metadata_binary *walk, const char *expected)
{
        uint8_t out[64];
        size_t size;

        assert_int_equal(metadata_binary_next(walk, out, &size), 1);
        assert_int_equal(size, strlen(expected));
        assert_memory_equal(out, expected, size);
}

static void test_binary_values(void **state)
{
        struct metadata_binary walk;
        uint8_t out[64];
        size_t size = 77;

        (void)state;
        metadata_binary_init(&walk, "Zm9v", 4);
        assert_next(&walk, "foo");
        assert_int_equal(metadata_binary_next(&walk, out, &size), 0);
        assert_int_equal(metadata_binary_next(&walk, out, &size), 0);

        metadata_binary_init(&walk, "Zg==,Zm8 ,\tZm8=, ,", 18);
        assert_next(&walk, "f");
        assert_next(&walk, "fo");
        assert_next(&walk, "fo");
        assert_next(&walk, "");
        assert_next(&walk, "");
        assert_int_equal(metadata_binary_next(&walk, out, &size), 0);

        metadata_binary_init(&walk, "", 0);
        assert_next(&walk, "");
        assert_int_equal(metadata_binary_next(&walk, out, &size), 0);

        metadata_binary_init(&walk, "Zg,!,Zg", 7);
        assert_next(&walk, "f");
        assert_int_equal(metadata_binary_next(&walk, out, &size), -EINVAL);
        assert_int_equal(size, 77);
        assert_next(&walk, "f");
        assert_int_equal(metadata_binary_next(&walk, out, &size), 0);
}

/*
 * One buffer of base64_decoded_size_max(header) holds all values of any header; ASan watches its
 * end.
 */
static void test_room_for_all_values(void **state)
{
        static const char alphabet[] = "AAAAAQgw,,= !";

        (void)state;
        for (uint64_t seed = 1; seed <= 50000; seed++) {
                uint64_t random = seed;
                char header[24];
                size_t size = random_upto(&random, sizeof(header)), used = 0, n;
                size_t room = base64_decoded_size_max(size);
                uint8_t *out = malloc(room ? room : 1);
                struct metadata_binary walk;
                int r;

                for (size_t i = 0; i < size; i++)
                        header[i] = alphabet[random_upto(&random, sizeof(alphabet) - 2)];
                metadata_binary_init(&walk, header, size);
                while ((r = metadata_binary_next(&walk, out + used, &n)))
                        used += r == 1 ? n : 0;
                if (used > room)
                        fail_msg("seed %d", (int)seed);
                free(out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_long_values),
                cmocka_unit_test(test_reserved_and_binary),
                cmocka_unit_test(test_binary_values),
                cmocka_unit_test(test_room_for_all_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
