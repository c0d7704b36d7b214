/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/percent.h"
#include "random.h"

static void assert_encodes(const char *text, const char *expected)
{
        char out[64];
        size_t size = percent_encode(out, text, strlen(text));

        assert_int_equal(size, strlen(expected));
        assert_int_equal(size, percent_encoded_size(text, strlen(text)));
        assert_memory_equal(out, expected, size);
}

static void assert_decodes(const char *text, const char *expected)
{
        char out[64];
        size_t size = percent_decode(out, text, strlen(text));

        assert_int_equal(size, strlen(expected));
        assert_memory_equal(out, expected, size);
}

static void test_encode(void **state)
{
        (void)state;
        assert_encodes("", "");
        assert_encodes("plain text ~!", "plain text ~!");
        assert_encodes("100%", "100%25");
        assert_encodes("a\nb\tc\x7f", "a%0Ab%09c%7F");
        /* grpc's interop: special_status_message */
        assert_encodes("\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba",
                "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA");
}

static void test_decode(void **state)
{
        (void)state;
        assert_decodes("", "");
        assert_decodes("%E2%98%BA", "\xe2\x98\xba");
        assert_decodes("%e2%98%ba", "\xe2\x98\xba");
        assert_decodes("a%2", "a%2");
        assert_decodes("a%", "a%");
        assert_decodes("%zz%41", "%zzA");
        assert_decodes("%4z%41", "%4zA");
        assert_decodes("%%41", "%A");
        assert_decodes("%%%", "%%%");
        assert_decodes("%2541", "%41");
        assert_decodes("raw \xe2\x98\xba", "raw \xe2\x98\xba");
}

/* What lies behind the text does not complete an escape. */
static void test_decode_stays_within(void **state)
{
        char out[2];

        (void)state;
        assert_int_equal(percent_decode(out, "%41", 2), 2);
        assert_memory_equal(out, "%4", 2);
        assert_int_equal(percent_decode(out, "%41", 1), 1);
}

/* An escape counts if and only if both its digits are hexadecimal. */
static void test_every_escape(void **state)
{
        (void)state;
        for (unsigned int a = 0; a < 256; a++) {
                for (unsigned int b = 0; b < 256; b++) {
                        char text[3] = { '%', (char)a, (char)b }, out[3];
                        bool hex = a && b && strchr("0123456789abcdefABCDEF", (int)a) &&
                                   strchr("0123456789abcdefABCDEF", (int)b);

                        assert_int_equal(percent_decode(out, text, 3), hex ? 1 : 3);
                }
        }
}

static void test_round_trips_in_place(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 2000; seed++) {
                uint64_t random = seed;
                char plain[200], text[600];
                size_t size = random_upto(&random, sizeof(plain)), n;

                random_fill(&random, plain, size);
                n = percent_encode(text, plain, size);
                if (n != percent_encoded_size(plain, size))
                        fail_msg("seed %d", (int)seed);
                for (size_t i = 0; i < n; i++)
                        assert_true(text[i] >= 0x20 && text[i] <= 0x7e);
                if (percent_decode(text, text, n) != size || memcmp(text, plain, size) != 0)
                        fail_msg("seed %d", (int)seed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_encode),
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_decode_stays_within),
                cmocka_unit_test(test_every_escape),
                cmocka_unit_test(test_round_trips_in_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
