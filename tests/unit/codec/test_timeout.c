/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/timeout.h"
#include "random.h"

#include <errno.h>

static uint64_t parsed(const char *text)
{
        uint64_t ns = 77;

        assert_int_equal(timeout_parse(text, strlen(text), &ns), 0);
        return ns;
}

static void test_parse(void **state)
{
        (void)state;
        assert_int_equal(parsed("0n"), 0);
        assert_int_equal(parsed("1n"), 1);
        assert_int_equal(parsed("1u"), 1000);
        assert_int_equal(parsed("1m"), 1000000);
        assert_int_equal(parsed("1S"), 1000000000);
        assert_int_equal(parsed("1M"), 60000000000);
        assert_int_equal(parsed("1H"), 3600000000000);
        assert_int_equal(parsed("00000001S"), 1000000000);
        assert_int_equal(parsed("99999999n"), 99999999);
        assert_int_equal(parsed("99999999M"), 5999999940000000000);
        assert_int_equal(parsed("5124095H"), 18446742000000000000U);
        assert_int_equal(parsed("5124096H"), UINT64_MAX);
        assert_int_equal(parsed("99999999H"), UINT64_MAX);
}

static void test_parse_malformed(void **state)
{
        static const char *const malformed[] = { "", "S", "1", "12345678", "123456789",
                "123456789S", "000000001S", "1s", "1h", "1U", "1N", "-1S", "+1S", " 1S", "1S ",
                "1 S", "1.5S", "1SS", "0x1S", "1\xff", "S1" };

        (void)state;
        for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
                uint64_t ns = 77;

                if (timeout_parse(malformed[i], strlen(malformed[i]), &ns) != -EINVAL)
                        fail_msg("accepted: %s", malformed[i]);
                assert_int_equal(ns, 77);
        }
}

/* Every pair of bytes: a digit and a unit pass, nothing else does. */
static void test_parse_every_pair(void **state)
{
        (void)state;
        for (unsigned int a = 0; a < 256; a++) {
                for (unsigned int b = 0; b < 256; b++) {
                        char text[2] = { (char)a, (char)b };
                        int good = a >= '0' && a <= '9' && b && strchr("HMSmun", (int)b);
                        uint64_t ns;

                        assert_int_equal(timeout_parse(text, 2, &ns), good ? 0 : -EINVAL);
                }
        }
}

static void assert_formats(uint64_t ns, const char *expected)
{
        char out[TIMEOUT_BYTES_MAX];
        size_t size = timeout_format(out, ns);

        if (size != strlen(expected) || memcmp(out, expected, size) != 0)
                fail_msg("%.*s, not %s", (int)size, out, expected);
}

static void test_format(void **state)
{
        (void)state;
        assert_formats(0, "0n");
        assert_formats(7, "7n");
        assert_formats(99999999, "99999999n");
        assert_formats(100000000, "100000u");
        assert_formats(100000001, "100001u");
        assert_formats(99999999000, "99999999u");
        assert_formats(99999999001, "100000m");
        assert_formats(99999999000000, "99999999m");
        assert_formats(99999999000001, "100000S");
        assert_formats(99999999000000000, "99999999S");
        assert_formats(99999999000000001, "1666667M");
        assert_formats(5999999940000000000, "99999999M");
        assert_formats(5999999940000000001, "1666667H");
        assert_formats(UINT64_MAX, "5124096H");
}

/* What is sent is never less than what was meant, and more by less than a part in 100,000. */
static void test_format_rounds_up_a_little(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 100000; seed++) {
                uint64_t random = seed, ns = random_u64(&random) >> random_upto(&random, 63), back;
                char out[TIMEOUT_BYTES_MAX];
                size_t size = timeout_format(out, ns);

                assert_int_equal(timeout_parse(out, size, &back), 0);
                if (back < ns || back - ns > ns / 100000)
                        fail_msg("seed %d", (int)seed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_malformed),
                cmocka_unit_test(test_parse_every_pair),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_format_rounds_up_a_little),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
