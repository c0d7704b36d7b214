/* SPDX-License-Identifier: MIT */

/* What an Accept field wants. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/accept.h"

static void test_quality(void **state)
{
        static const struct {
                const char *field, *type;
                unsigned quality;
        } cases[] = {
                { "", "text/plain", 0 },
                { "text/plain", "text/plain", 1000 },
                { "TEXT/Plain", "text/plain", 1000 },
                { "text/html", "text/plain", 0 },
                { "*/*", "text/plain", 1000 },
                { "text/*", "text/plain", 1000 },
                { "text/*", "application/json", 0 },
                { "*", "text/plain", 0 },
                { "text/plain;q=0", "text/plain", 0 },
                { "text/plain; q=0.5", "text/plain", 500 },
                { "text/plain ;\tQ=0.125", "text/plain", 125 },
                { "text/plain;q=0.12345", "text/plain", 123 },
                { "text/plain;q=9", "text/plain", 1000 },
                { "text/plain;q=x", "text/plain", 0 },
                { "text/plain;q=", "text/plain", 0 },
                { "text/plain;version=0.0.4;q=0.3", "text/plain", 300 },
                { "text/plain;q=0.3;version=0.0.4", "text/plain", 300 },
                { "a/b, text/plain;q=0.2 ,c/d", "text/plain", 200 },
                /* the closest range counts, in any order */
                { "*/*;q=0.9, text/plain;q=0.1", "text/plain", 100 },
                { "text/plain;q=0.1, */*;q=0.9", "text/plain", 100 },
                { "text/*;q=0.4,*/*;q=0.9", "text/plain", 400 },
                { "text/plain;q=0, */*", "text/plain", 0 },
                /* of the same range twice the better one */
                { "text/plain;version=1;q=0.5,text/plain;version=0;q=0.4", "text/plain", 500 },
                { "text/plain;version=0;q=0.4,text/plain;version=1;q=0.5", "text/plain", 500 },
                { ",,;,;;q=1,", "text/plain", 0 },
                { "text/plainer", "text/plain", 0 },
                { "text/plai", "text/plain", 0 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                unsigned quality =
                        accept_quality(cases[i].field, strlen(cases[i].field), cases[i].type);

                if (quality != cases[i].quality)
                        fail_msg("'%s' wants %s: %u, not %u", cases[i].field, cases[i].type,
                                quality, cases[i].quality);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(test_quality) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
