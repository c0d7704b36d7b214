/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "random.h"

#include <errno.h>

static void test_rfc4648_vectors(void **state)
{
        static const struct {
                const char *plain, *padded, *unpadded;
        } vectors[] = {
                { "", "", "" },
                { "f", "Zg==", "Zg" },
                { "fo", "Zm8=", "Zm8" },
                { "foo", "Zm9v", "Zm9v" },
                { "foob", "Zm9vYg==", "Zm9vYg" },
                { "fooba", "Zm9vYmE=", "Zm9vYmE" },
                { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
                { "\xfb\xff\xbf", "+/+/", "+/+/" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
                const char *plain = vectors[i].plain;
                char encoded[16];
                uint8_t decoded[16];
                size_t size = base64_encode(encoded, (const uint8_t *)plain, strlen(plain));

                assert_int_equal(size, strlen(vectors[i].unpadded));
                assert_int_equal(size, base64_encoded_size(strlen(plain)));
                assert_memory_equal(encoded, vectors[i].unpadded, size);

                assert_int_equal(base64_decode(decoded, encoded, size, &size), 0);
                assert_int_equal(size, strlen(plain));
                assert_memory_equal(decoded, plain, size);

                size = strlen(vectors[i].padded);
                assert_int_equal(base64_decode(decoded, vectors[i].padded, size, &size), 0);
                assert_int_equal(size, strlen(plain));
                assert_memory_equal(decoded, plain, size);
        }
}

static void test_malformed(void **state)
{
        static const char *const malformed[] = { "A", "AAAAA", "=", "==", "===", "====", "A=",
                "A==", "A===", "AA=", "AAA==", "AAAA=", "AAAA==", "AAAA====", "AA==AAAA", "A=AA",
                "=AAA", "AA-_", "AA A", " AAA", "AAA\n", "AA==\n", "AAA,", "AAA\xff",
                /* bits after the last whole byte */
                "AB", "AB==", "AAB", "AAB=", "Zh", "Zm9=" };

        (void)state;
        for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
                uint8_t out[16];
                size_t size = 77;

                if (base64_decode(out, malformed[i], strlen(malformed[i]), &size) != -EINVAL)
                        fail_msg("accepted: %s", malformed[i]);
                assert_int_equal(size, 77);
        }
}

/*
 * Among all strings of up to two characters, what is accepted is exactly what encoding makes,
 * padded or not.
 */
static void test_exhaustive_bytes(void **state)
{
        size_t accepted = 0;

        (void)state;
        for (unsigned int a = 0; a < 256; a++) {
                for (unsigned int b = 0; b < 256; b++) {
                        char text[2] = { (char)a, (char)b }, again[2];
                        uint8_t out[2];
                        size_t size;

                        if (base64_decode(out, text, 2, &size))
                                continue;
                        accepted++;
                        assert_int_equal(size, 1);
                        assert_int_equal(base64_encode(again, out, size), 2);
                        assert_memory_equal(again, text, 2);
                }
        }
        assert_int_equal(accepted, 256);
}

static void test_round_trips_in_place(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 2000; seed++) {
                uint64_t random = seed;
                uint8_t plain[300];
                char text[404];
                size_t size = random_upto(&random, sizeof(plain)), n, decoded;

                random_fill(&random, plain, size);
                n = base64_encode(text, plain, size);
                if (n != base64_encoded_size(size))
                        fail_msg("seed %d", (int)seed);
                if (seed % 2)
                        while (n % 4)
                                text[n++] = '=';
                assert_true(size <= base64_decoded_size_max(n));
                if (base64_decode((uint8_t *)text, text, n, &decoded) || decoded != size ||
                        memcmp(text, plain, size) != 0)
                        fail_msg("seed %d", (int)seed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc4648_vectors),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_exhaustive_bytes),
                cmocka_unit_test(test_round_trips_in_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
