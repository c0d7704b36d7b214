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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_locale),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
