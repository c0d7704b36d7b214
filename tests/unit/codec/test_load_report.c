/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/load_report.h"
#include "random.h"

/* protoc's encoding of cpu 0.5, mem 0.25, rps 7, cost {"a": 1}, rps_fractional 100, eps 2, application 0.75. */
static const uint8_t report[] = "\x09\x00\x00\x00\x00\x00\x00\xe0\x3f"
                                "\x11\x00\x00\x00\x00\x00\x00\xd0\x3f"
                                "\x18\x07"
                                "\x22\x0c\x0a\x01\x61\x11\x00\x00\x00\x00\x00\x00\xf0\x3f"
                                "\x31\x00\x00\x00\x00\x00\x00\x59\x40"
                                "\x39\x00\x00\x00\x00\x00\x00\x00\x40"
                                "\x49\x00\x00\x00\x00\x00\x00\xe8\x3f";

static void test_whole(void **state)
{
        struct load_report read;

        (void)state;
        assert_int_equal(load_report_parse(report, sizeof(report) - 1, &read), 0);
        assert_true(read.cpu_utilization == 0.5);
        assert_true(read.requests_per_second == 100);
        assert_true(read.errors_per_second == 2);
        assert_true(read.application_utilization == 0.75);
}

static void test_empty(void **state)
{
        struct load_report read = { .cpu_utilization = 1 };

        (void)state;
        assert_int_equal(load_report_parse("", 0, &read), 0);
        assert_true(read.cpu_utilization == 0 && read.requests_per_second == 0);
}

/* NaN, infinity, and less than nothing say nothing. */
static void test_odd_numbers(void **state)
{
        static const char *const values[] = { "\x00\x00\x00\x00\x00\x00\xf8\x7f",
                "\x00\x00\x00\x00\x00\x00\xf0\x7f", "\x00\x00\x00\x00\x00\x00\xf0\xbf",
                "\x00\x00\x00\x00\x00\x00\xf8\xff" };

        (void)state;
        for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
                struct load_report read;
                char bytes[9] = { 9 };

                memcpy(bytes + 1, values[i], 8);
                assert_int_equal(load_report_parse(bytes, sizeof(bytes), &read), 0);
                assert_true(read.cpu_utilization == 0);
        }
}

static void assert_bad(const char *bytes, size_t size)
{
        struct load_report read = { .cpu_utilization = 3 };

        assert_int_equal(load_report_parse(bytes, size, &read), -EBADMSG);
        assert_true(read.cpu_utilization == 3);
}

static void test_bad(void **state)
{
        (void)state;
        assert_bad("\x09\x00\x00", 3); /* a double that ends early */
        assert_bad("\x02\x00", 2); /* field 0 */
        assert_bad("\x0b", 1); /* a group */
        assert_bad("\x22\x05\x61", 3); /* longer than the rest */
        assert_bad("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
        assert_bad("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12); /* eleven bytes */
        assert_bad("\xff", 1);
}

/* Whatever comes, it stays within what it was given: malloc's block ends there. */
static void test_random(void **state)
{
        uint64_t random = 1;

        (void)state;
        for (unsigned i = 0; i < 100000; i++) {
                size_t size = random_upto(&random, sizeof(report) - 1);
                uint8_t *bytes = malloc(size ? size : 1);
                struct load_report read;

                memcpy(bytes, report, size);
                for (unsigned j = 0; size > 0 && j < 3; j++)
                        bytes[random_upto(&random, size - 1)] = (uint8_t)random_u64(&random);
                (void)load_report_parse(bytes, size, &read);
                free(bytes);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_odd_numbers),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_random),
        };

        return cmocka_run_group_tests_name("codec/load_report", tests, NULL, NULL);
}
