/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comma.h"
#include "services/exposition_text.h"

static void check(double value, const char *wanted)
{
        static const struct metric metric = { "m", METRIC_GAUGE, NULL, "A number." };
        struct exposition_text text = { .format = QUOIT_EXPOSITION_OPENMETRICS };

        exposition_number(&text, &metric, NULL, value);
        assert_int_equal(text.size, strlen(wanted));
        assert_memory_equal(text.bytes, wanted, text.size);
        free(text.bytes);
}

static void check_numbers(void)
{
        check(0.5, "m 0.5\n");
        check(-2.5e-300, "m -2.5e-300\n");
        check(1e300, "m 1.0000000000000001e+300\n");
        check(3, "m 3.0\n");
        check(-INFINITY, "m -inf\n");
}

/* A scraper wants a '.', whatever the program's locale has. */
static void test_locale(void **state)
{
        (void)state;
        check_numbers();
        if (!comma_set())
                skip();
        check_numbers();
}

/* In OpenMetrics alone, and only where there is one. */
static void test_exemplars(void **state)
{
        static const struct metric metric = { "m", METRIC_HISTOGRAM, NULL, "A histogram." };
        const quoit_exemplar exemplars[] = { [1] = { .trace_id = { 0xab, [15] = 1 },
                                                     .span_id = { 0x0c, [7] = 0xff },
                                                     .value = 0.25,
                                                     .unix_s = 1800000000.0625 } };
        const quoit_histogram histogram = { .bounds = (const double[]){ 0.125 },
                .bound_count = 1,
                .counts = (const uint64_t[]){ 1, 2 },
                .sum = 0.75,
                .exemplars = exemplars };
        static const char *const wanted[] = {
                [QUOIT_EXPOSITION_PROMETHEUS] = "m_bucket{le=\"0.125\"} 1\n"
                                                "m_bucket{le=\"+Inf\"} 3\n",
                [QUOIT_EXPOSITION_OPENMETRICS] =
                        "m_bucket{le=\"0.125\"} 1\n"
                        "m_bucket{le=\"+Inf\"} 3 # {trace_id=\"ab000000000000000000000000000001\","
                        "span_id=\"0c000000000000ff\"} 0.25 1800000000.062\n",
        };

        (void)state;
        for (quoit_exposition_format format = 0; format <= QUOIT_EXPOSITION_OPENMETRICS; format++) {
                struct exposition_text text = { .format = format };

                exposition_histogram(&text, &metric, NULL, &histogram);
                assert_memory_equal(text.bytes, wanted[format], strlen(wanted[format]));
                free(text.bytes);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_locale),
                cmocka_unit_test(test_exemplars),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
