/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/base64.h"
#include "apps/quoit/flags.h"
#include "apps/quoit/nearest.h"

static void assert_time(const char *text, double expected)
{
        double ms;

        assert_true(flag_parse_time(text, strlen(text), &ms));
        assert_float_equal(ms, expected, 1e-9);
}

static void test_times(void **state)
{
        double ms = -1;

        (void)state;
        assert_time("2s", 2000);
        assert_time("500ms", 500);
        assert_time("1m30s", 90000);
        assert_time("1h", 3600000);
        assert_time("0.5", 500); /* a number alone is seconds */
        assert_time("3", 3000);
        assert_time(".25s", 250);
        assert_time("10us", 0.01);
        for (const char *const *bad = (const char *const[]){ "", "s", "-1s", "1x", "1s2", "1 s",
                     "inf", "nan", NULL };
                *bad; bad++)
                assert_false(flag_parse_time(*bad, strlen(*bad), &ms));
        assert_true(flag_parse_time("2s@x", 2, &ms));
        assert_float_equal(ms, 2000, 1e-9);
}

static void assert_bytes(const char *text, size_t expected)
{
        const struct flag flag = { .name = "size" };
        size_t bytes = 0;

        assert_int_equal(flag_set_bytes(&flag, text, &bytes), 0);
        assert_int_equal(bytes, expected);
}

static void test_sizes(void **state)
{
        (void)state;
        assert_bytes("100", 100);
        assert_bytes("64k", 64 << 10);
        assert_bytes("64kB", 64000);
        assert_bytes("4MiB", 4 << 20);
        assert_bytes("1.5Mi", 3 << 19);
        assert_bytes("1g", 1 << 30);
        assert_bytes("7B", 7);
}

static const char *nearest_of(const char *name, const char *const *candidates)
{
        static struct nearest nearest;

        nearest_init(&nearest, name);
        for (; *candidates; candidates++)
                nearest_try(&nearest, *candidates);
        return nearest.best;
}

static void test_nearest(void **state)
{
        const char *const names[] = { "length", "name", "api.Api", "createdAt", NULL };

        (void)state;
        assert_string_equal(nearest_of("lenght", names), "length");
        assert_string_equal(nearest_of("nam", names), "name");
        assert_string_equal(nearest_of("NAME", names), "name");
        assert_string_equal(nearest_of("createdat", names), "createdAt");
        assert_string_equal(nearest_of("api.Apj", names), "api.Api");
        assert_string_equal(nearest_of("elsewhere", names), "");
        assert_string_equal(nearest_of("x", (const char *const[]){ "completely", NULL }), "");
}

static void test_base64(void **state)
{
        const char bytes[] = "\0\377any carnal pleas";
        char text[BASE64_ENCODED_BYTES(sizeof(bytes))], back[64];
        size_t size;

        (void)state;
        for (size_t i = 0; i < sizeof(bytes); i++) {
                base64_encode(bytes, i, text);
                assert_int_equal(strlen(text), (i + 2) / 3 * 4);
                assert_true(base64_decode(text, strlen(text), back, &size));
                assert_int_equal(size, i);
                assert_memory_equal(back, bytes, i);
                size = strcspn(text, "=");
                assert_true(base64_decode(text, size, back, &size));
                assert_int_equal(size, i);
        }
        assert_true(base64_decode("-_-_", 4, back, &size));
        assert_memory_equal(back, "\373\377\277", 3);
        assert_false(base64_decode("A", 1, back, &size));
        assert_false(base64_decode("A===", 4, back, &size));
        assert_false(base64_decode("AA A", 4, back, &size));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_nearest),
                cmocka_unit_test(test_base64),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
