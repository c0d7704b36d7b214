/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/trace_context.h"

#define ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define GOOD "00-" ID "-" SPAN "-01"

static bool parse(const char *text, quoit_trace *ret_trace)
{
        return trace_parse(upb_StringView_FromString(text), ret_trace);
}

static void test_parse(void **state)
{
        quoit_trace trace;
        char text[TRACEPARENT_BYTES + 1] = "", id[TRACE_ID_TEXT_BYTES];

        (void)state;
        assert_true(parse(GOOD, &trace));
        assert_int_equal(trace.trace_id[0], 0x0a);
        assert_int_equal(trace.trace_id[15], 0x9c);
        assert_int_equal(trace.span_id[0], 0xb7);
        assert_int_equal(trace.flags, QUOIT_TRACE_SAMPLED);
        trace_format(&trace, text);
        assert_string_equal(text, GOOD);
        trace_format_id(&trace, id);
        assert_string_equal(id, ID);
        /* flags that nobody knows are not passed on: section 3.2.2.5.2 */
        assert_true(parse("00-" ID "-" SPAN "-fe", &trace));
        assert_int_equal(trace.flags, QUOIT_TRACE_RANDOM);
        /* a version to come */
        assert_true(parse("cc-" ID "-" SPAN "-01", &trace));
        assert_true(parse("cc-" ID "-" SPAN "-01-what-there-will-be", &trace));
}

/* The list of W3C's own tests (trace-context/test/test.py), and some more. */
static void test_bad_ones(void **state)
{
        static const char *const bad[] = {
                "",
                "00",
                "00-" ID "-" SPAN,
                "00-" ID "-" SPAN "-0",
                "00-" ID "-" SPAN "-0g",
                "00-" ID "-" SPAN "-01-",
                "00-" ID "-" SPAN "-01-extra",
                "00-" ID "-" SPAN "-01.",
                "cc-" ID "-" SPAN "-01.what",
                "ff-" ID "-" SPAN "-01",
                "0-" ID "-" SPAN "-01-",
                ".0-" ID "-" SPAN "-01",
                "00-00000000000000000000000000000000-" SPAN "-01",
                "00-" ID "-0000000000000000-01",
                "00-.af7651916cd43dd8448eb211c80319c-" SPAN "-01",
                "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
                "00-" ID "-B7AD6B7169203331-01",
                "00-" ID "-b7ad6b716920333-01-",
                "00_" ID "-" SPAN "-01",
                "00-" ID "_" SPAN "-01",
                "00-" ID "-" SPAN "_01",
                " 00-" ID "-" SPAN "-01",
        };
        quoit_trace trace = { .flags = 77 };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_false(parse(bad[i], &trace));
        assert_false(trace_parse(
                (upb_StringView){ "00-" ID "-" SPAN "-\0001", TRACEPARENT_BYTES }, &trace));
        assert_int_equal(trace.flags, 77);
}

static void test_binary(void **state)
{
        char bytes[TRACE_BIN_BYTES + 3];
        quoit_trace trace, back;

        (void)state;
        assert_true(parse(GOOD, &trace));
        trace_format_bin(&trace, bytes);
        assert_memory_equal(bytes, "\0\0\x0a\xf7", 4);
        assert_memory_equal(bytes + 18, "\1\xb7", 2);
        assert_memory_equal(bytes + 27, "\2\1", 2);
        for (size_t size = 0; size < TRACE_BIN_BYTES; size++)
                assert_false(trace_parse_bin((upb_StringView){ bytes, size }, &back));
        for (size_t size = TRACE_BIN_BYTES; size <= sizeof(bytes); size++) {
                assert_true(trace_parse_bin((upb_StringView){ bytes, size }, &back));
                assert_memory_equal(&back, &trace, sizeof(trace));
        }
        for (size_t i = 0; i < 4; i++) { /* another version, or other fields */
                size_t at = (size_t[]){ 0, 1, 18, 27 }[i];

                bytes[at] ^= 4;
                assert_false(trace_parse_bin((upb_StringView){ bytes, TRACE_BIN_BYTES }, &back));
                bytes[at] ^= 4;
        }
        memset(bytes + 2, 0, 16);
        assert_false(trace_parse_bin((upb_StringView){ bytes, TRACE_BIN_BYTES }, &back));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_bad_ones),
                cmocka_unit_test(test_binary),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
