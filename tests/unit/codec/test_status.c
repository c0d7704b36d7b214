/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/status.h"

#include <errno.h>

static void test_names_and_numbers(void **state)
{
        static const char *const names[] = { "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT",
                "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
                "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
                "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED" };

        (void)state;
        for (unsigned int i = 0; i < 17; i++) {
                char digits[16];
                quoit_status status;

                snprintf(digits, sizeof(digits), "%u", i);
                assert_string_equal(quoit_status_name((quoit_status)i), names[i]);
                assert_string_equal(status_format((quoit_status)i), digits);
                assert_int_equal(status_parse(digits, strlen(digits), &status), 0);
                assert_int_equal(status, i);
        }
        assert_int_equal(QUOIT_UNAUTHENTICATED, 16);
        assert_string_equal(quoit_status_name((quoit_status)17), "UNKNOWN");
        assert_string_equal(quoit_status_name((quoit_status)-1), "UNKNOWN");
        assert_string_equal(status_format((quoit_status)1000), "2");
}

static void test_parse_unknown_numbers(void **state)
{
        static const char *const unknown[] = { "17", "99", "100", "161", "4294967296",
                "18446744073709551616", "18446744073709551617",
                "100000000000000000000000000000000000000000000" };

        (void)state;
        for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
                quoit_status status = QUOIT_OK;

                assert_int_equal(status_parse(unknown[i], strlen(unknown[i]), &status), 0);
                assert_int_equal(status, QUOIT_UNKNOWN);
        }
}

static void test_parse_malformed(void **state)
{
        static const char *const malformed[] = { "", "00", "01", "016", "-1", "+1", " 1", "1 ",
                "1a", "a", "0x1", "1.0", "99999999999999999999999x" };

        (void)state;
        for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
                quoit_status status = QUOIT_ABORTED;

                assert_int_equal(
                        status_parse(malformed[i], strlen(malformed[i]), &status), -EINVAL);
                assert_int_equal(status, QUOIT_ABORTED);
        }
}

static void test_from_http(void **state)
{
        (void)state;
        for (unsigned int http = 0; http < 1000; http++) {
                quoit_status expected = QUOIT_UNKNOWN;

                if (http == 400 || http == 431)
                        expected = QUOIT_INTERNAL;
                else if (http == 401)
                        expected = QUOIT_UNAUTHENTICATED;
                else if (http == 403)
                        expected = QUOIT_PERMISSION_DENIED;
                else if (http == 404)
                        expected = QUOIT_UNIMPLEMENTED;
                else if (http == 429 || (http >= 502 && http <= 504))
                        expected = QUOIT_UNAVAILABLE;
                assert_int_equal(status_from_http(http), expected);
        }
}

static void test_from_http2_error(void **state)
{
        (void)state;
        assert_int_equal(status_from_http2_error(0x0), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0x1), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0x2), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0x3), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0x6), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0x7), QUOIT_UNAVAILABLE);
        assert_int_equal(status_from_http2_error(0x8), QUOIT_CANCELLED);
        assert_int_equal(status_from_http2_error(0x9), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0xa), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(0xb), QUOIT_RESOURCE_EXHAUSTED);
        assert_int_equal(status_from_http2_error(0xc), QUOIT_PERMISSION_DENIED);
        assert_int_equal(status_from_http2_error(0xd), QUOIT_INTERNAL);
        assert_int_equal(status_from_http2_error(UINT32_MAX), QUOIT_INTERNAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names_and_numbers),
                cmocka_unit_test(test_parse_unknown_numbers),
                cmocka_unit_test(test_parse_malformed),
                cmocka_unit_test(test_from_http),
                cmocka_unit_test(test_from_http2_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
