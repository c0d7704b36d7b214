/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/xxhash.h"

/* Of the reference implementation (xxhsum -H64). */
static void test_known(void **state)
{
        static const struct {
                const char *text;
                uint64_t hash;
        } known[] = {
                { "", 0xef46db3751d8e999 },
                { "a", 0xd24ec4f1a98c6e5b },
                { "abc", 0x44bc2cf5ad770999 },
                { "Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                assert_true(xxhash64(known[i].text, strlen(known[i].text)) == known[i].hash);
}

/* Each byte counts, and how many there are, at any alignment. */
static void test_all_lengths(void **state)
{
        uint8_t bytes[101] = { 0 };

        (void)state;
        for (size_t size = 1; size <= 100; size++) {
                uint64_t hash = xxhash64(bytes + 1, size);

                assert_true(hash != xxhash64(bytes + 1, size - 1));
                assert_true(hash == xxhash64(bytes, size));
                for (size_t i = 0; i < size; i++) {
                        bytes[1 + i] = 1;
                        assert_true(hash != xxhash64(bytes + 1, size));
                        bytes[1 + i] = 0;
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_all_lengths),
        };

        return cmocka_run_group_tests_name("codec/xxhash", tests, NULL, NULL);
}
