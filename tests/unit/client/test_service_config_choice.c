/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/service_config.h"

static char problem[SERVICE_CONFIG_PROBLEM_BYTES];

static int choose(const char *text, unsigned percent, struct service_config **ret_config)
{
        char *copy = strdup(text);
        int r;

        for (char *c = copy; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        r = service_config_choose(
                upb_StringView_FromString(copy), "host-1", percent, ret_config, problem);
        free(copy);
        return r;
}

#define TOKENS(n) "'serviceConfig': {'retryThrottling': {'maxTokens': " #n ", 'tokenRatio': 1}}"

/* Each with the tokens of the chosen one. */
static void test_choice(void **state)
{
        static const struct {
                const char *text;
                unsigned percent, tokens; /* 0: none is chosen */
        } cases[] = {
                { "[]", 1, 0 },
                { "[{" TOKENS(1) "}, {" TOKENS(2) "}]", 1, 1 },
                { "[{'clientLanguage': ['go', 'C'], " TOKENS(1) "}]", 1, 1 },
                { "[{'clientLanguage': ['c++'], " TOKENS(1) "}, {" TOKENS(2) "}]", 1, 2 },
                { "[{'clientLanguage': [], " TOKENS(1) "}]", 1, 0 },
                { "[{'clientHostname': ['host-1'], " TOKENS(1) "}]", 1, 1 },
                { "[{'clientHostName': ['host-2', 'HOST-1'], " TOKENS(1) "}]", 1, 1 },
                { "[{'clientHostname': ['host-10'], " TOKENS(1) "}]", 1, 0 },
                { "[{'percentage': 0, " TOKENS(1) "}]", 1, 0 },
                { "[{'percentage': 100, " TOKENS(1) "}]", 100, 1 },
                { "[{'percentage': 10, " TOKENS(1) "}, {" TOKENS(2) "}]", 10, 1 },
                { "[{'percentage': 10, " TOKENS(1) "}, {" TOKENS(2) "}]", 11, 2 },
                { "[{'percentage': 50, 'clientLanguage': ['go'], " TOKENS(1) "}]", 1, 0 },
                { "[{'unknown': 3, 'percentage': null, " TOKENS(1) "}]", 1, 1 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct service_config *config = (void *)1;

                assert_int_equal(choose(cases[i].text, cases[i].percent, &config), 0);
                if (cases[i].tokens == 0)
                        assert_null(config);
                else
                        assert_int_equal(config->throttling.tokens_max, cases[i].tokens * 1000);
                service_config_unref(config);
        }
}

/* All elements are checked, but of the configs only the chosen one. */
static void test_bad(void **state)
{
        static const char *const cases[][2] = {
                { "", "line 1, column 1: " },
                { "{}", "an array is wanted" },
                { "[3]", "[0]: an object is wanted" },
                { "[{}]", "[0].serviceConfig: it is missing" },
                { "[{" TOKENS(1) "}, {}]", "[1].serviceConfig: it is missing" },
                { "[{'percentage': 101, " TOKENS(1) "}]",
                        "[0].percentage: a whole number from 0 to 100" },
                { "[{'percentage': -1, " TOKENS(1) "}]",
                        "[0].percentage: a whole number from 0 to 100" },
                { "[{'clientLanguage': 'c', " TOKENS(1) "}]",
                        "[0].clientLanguage: an array is wanted" },
                { "[{'clientHostname': [3], " TOKENS(1) "}]",
                        "[0].clientHostname[0]: a string is wanted" },
                { "[{" TOKENS(5000) "}]", "[0].serviceConfig.retryThrottling.maxTokens: " },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct service_config *config = NULL;

                assert_int_equal(choose(cases[i][0], 1, &config), -EINVAL);
                assert_null(config);
                if (strncmp(problem, cases[i][1], strlen(cases[i][1])) != 0)
                        fail_msg("%s: %s", cases[i][0], problem);
        }
        {
                struct service_config *config = NULL;

                assert_int_equal(choose("[{'percentage': 0, " TOKENS(5000) "}]", 1, &config), 0);
                assert_null(config);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_choice),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests_name("client/service_config_choice", tests, NULL, NULL);
}
