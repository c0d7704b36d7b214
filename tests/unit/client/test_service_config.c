/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/balancer.h"
#include "client/json.h"
#include "configs.h"
#include "core/clock.h"

static char problem[SERVICE_CONFIG_PROBLEM_BYTES];

static struct service_config *make(const char *text)
{
        struct service_config *config = NULL;
        int r = read_config(text, &config, problem);

        if (r < 0)
                fail_msg("%s", problem);
        return config;
}

static void test_method(void **state)
{
        struct service_config *config = make("{'methodConfig': [{"
                                             "'name': [{'service': 'a.B', 'method': 'C'}],"
                                             "'waitForReady': true, 'timeout': '1.000000001s',"
                                             "'maxRequestMessageBytes': 10,"
                                             "'maxResponseMessageBytes': 20,"
                                             "'unknown': [{}]}], 'unknown': 1}");
        const struct method_config *method = service_config_find(config, "/a.B/C");

        (void)state;
        assert_true(method->waits_for_ready);
        assert_int_equal(method->timeout_ns, NS_PER_S + 1);
        assert_int_equal(method->request_bytes_max, 10);
        assert_int_equal(method->response_bytes_max, 20);
        assert_int_equal(method->retry.attempts_max, 0);
        assert_int_equal(method->hedging.attempts_max, 0);
        method = service_config_find(config, "/a.B/D");
        assert_false(method->waits_for_ready);
        assert_true(method->timeout_ns == UINT64_MAX);
        assert_true(method->request_bytes_max == SIZE_MAX);
        assert_true(method->response_bytes_max == SIZE_MAX);
        assert_null(service_config_unref(config));
}

/* The most exact name counts: service and method, service, all. */
static void test_names(void **state)
{
        struct service_config *config = make(
                "{'methodConfig': ["
                "{'name': [{'service': 'a', 'method': 'M'}, {'service': 'c'}], 'timeout': '1s'},"
                "{'name': [{'service': 'a'}, {'service': 'a', 'method': 'N'}], 'timeout': '2s'},"
                "{'name': [{}], 'timeout': '3s'},"
                "{'name': [], 'timeout': '4s'}, {'timeout': '5s'},"
                "{'name': [{'service': 'b', 'method': ''}], 'timeout': '6s'}]}");
        static const struct {
                const char *path;
                unsigned seconds;
        } cases[] = { { "/a/M", 1 }, { "/c/M", 1 }, { "/a/N", 2 }, { "/a/O", 2 }, { "/a/", 2 },
                { "/b/M", 6 }, { "/d/M", 3 }, { "/aa/M", 3 }, { "/a/M2", 2 }, { "/", 3 },
                { "/M", 3 } };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                assert_int_equal(service_config_find(config, cases[i].path)->timeout_ns,
                        cases[i].seconds * NS_PER_S);
        service_config_unref(config);
        config = make("{}");
        assert_true(service_config_find(config, "/a/M")->timeout_ns == UINT64_MAX);
        service_config_unref(config);
        assert_true(service_config_find(NULL, "/a/M")->timeout_ns == UINT64_MAX);
}

static void test_retry(void **state)
{
        struct service_config *config =
                make("{'methodConfig': [{'name': [{}], 'retryPolicy': {'maxAttempts': 4,"
                     "'initialBackoff': '0.1s', 'maxBackoff': '1s', 'backoffMultiplier': 1.5,"
                     "'retryableStatusCodes': [14, 'ABORTED', 'internal', 'Data_Loss']}}]}");
        const struct retry_policy *retry = &service_config_find(config, "/a/M")->retry;

        (void)state;
        assert_int_equal(retry->attempts_max, 4);
        assert_int_equal(retry->initial_ns, 100 * NS_PER_MS);
        assert_int_equal(retry->max_ns, NS_PER_S);
        assert_true(retry->multiplier == 1.5);
        assert_int_equal(retry->codes, 1 << 14 | 1 << 10 | 1 << 13 | 1 << 15);
        assert_true(status_set_has(retry->codes, QUOIT_UNAVAILABLE));
        assert_false(status_set_has(retry->codes, QUOIT_UNKNOWN));
        assert_false(status_set_has(retry->codes, (quoit_status)99));
        service_config_unref(config);
        /* more attempts than five are five */
        config = make("{'methodConfig': [{'name': [{}], 'retryPolicy': {'maxAttempts': 6,"
                      "'initialBackoff': '0.000000001s', 'maxBackoff': '315576000000s',"
                      "'backoffMultiplier': 1e-6, 'retryableStatusCodes': [1]}}]}");
        retry = &service_config_find(config, "/a/M")->retry;
        assert_int_equal(retry->attempts_max, 5);
        assert_int_equal(retry->initial_ns, 1);
        assert_true(retry->max_ns > 100000000 * NS_PER_S);
        assert_true(retry->multiplier == 1e-6);
        service_config_unref(config);
}

static void test_hedging(void **state)
{
        struct service_config *config =
                make("{'methodConfig': [{'name': [{}], 'hedgingPolicy': {'maxAttempts': 3,"
                     "'hedgingDelay': '0.05s', 'nonFatalStatusCodes': ['UNAVAILABLE']}},"
                     "{'name': [{'service': 's'}], 'hedgingPolicy': {'maxAttempts': 2}}]}");
        const struct hedging_policy *hedging = &service_config_find(config, "/a/M")->hedging;

        (void)state;
        assert_int_equal(hedging->attempts_max, 3);
        assert_int_equal(hedging->delay_ns, 50 * NS_PER_MS);
        assert_int_equal(hedging->codes, 1 << 14);
        hedging = &service_config_find(config, "/s/M")->hedging;
        assert_int_equal(hedging->attempts_max, 2);
        assert_int_equal(hedging->delay_ns, 0);
        assert_int_equal(hedging->codes, 0);
        service_config_unref(config);
}

static void test_throttling(void **state)
{
        struct service_config *config =
                make("{'retryThrottling': {'maxTokens': 1000, 'tokenRatio': 0.5466}}");

        (void)state;
        assert_int_equal(config->throttling.tokens_max, 1000000);
        assert_int_equal(config->throttling.token_ratio, 546);
        service_config_unref(config);
        config = make("{'retryThrottling': null}");
        assert_int_equal(config->throttling.tokens_max, 0);
        service_config_unref(config);
}

static void test_balancer(void **state)
{
        struct service_config *config = make(
                "{'loadBalancingConfig': [{'round_robin': {}}, {'x': 1}],"
                "'loadBalancingPolicy': 'ROUND_ROBIN', 'healthCheckConfig': {'serviceName': 's'}}");

        (void)state;
        assert_true(config->has_balancing);
        assert_string_equal(config->balancing.policy->name, "round_robin");
        assert_int_equal(json_member(config->health_check, "serviceName")->text.size, 1);
        assert_int_equal(config->connections_max, 0);
        service_config_unref(config);
        config = make("{'connectionScaling': {'maxConnectionsPerSubchannel': 4}}");
        assert_int_equal(config->connections_max, 4);
        service_config_unref(config);
        config = make("{'connectionScaling': {'maxConnectionsPerSubchannel': 4000000000}}");
        assert_int_equal(config->connections_max, QUOIT_CHANNEL_CONNECTIONS_MAX);
        service_config_unref(config);
        config = make("{'loadBalancingPolicy': 'ROUND_ROBIN'}"); /* the older member */
        assert_string_equal(config->balancing.policy->name, "round_robin");
        service_config_unref(config);
        config = make("{'loadBalancingPolicy': 'new', 'loadBalancingConfig': []}");
        assert_false(config->has_balancing);
        service_config_unref(config);
}

#define RETRY(fields) "{'methodConfig': [{}, {'name': [{}], 'retryPolicy': {" fields "}}]}"
#define POLICY "methodConfig[1].retryPolicy"
#define BACKOFFS "'initialBackoff': '1s', 'maxBackoff': '1s', "

/* A bad one is refused with a line that says what and where. */
static void test_bad(void **state)
{
        static const struct {
                const char *text, *problem;
        } cases[] = {
                { "", "line 1, column 1: a value is missing" },
                { "{\n'a': 1,\n}", "line 3, column 1: a string is missing" },
                { "[]", "an object is wanted" },
                { "{'methodConfig': {}}", "methodConfig: an array is wanted" },
                { "{'methodConfig': [3]}", "methodConfig[0]: an object is wanted" },
                { "{'methodConfig': [{'name': {}}]}", "methodConfig[0].name: an array is wanted" },
                { "{'methodConfig': [{'name': [{}, 7]}]}",
                        "methodConfig[0].name[1]: an object is wanted" },
                { "{'methodConfig': [{'name': [{'service': 5}]}]}",
                        "methodConfig[0].name[0].service: a string is wanted" },
                { "{'methodConfig': [{'name': [{'method': 'M'}]}]}",
                        "methodConfig[0].name[0]: a method is named without its service" },
                { "{'methodConfig': [{'name': [{'service': 'a'}]},"
                  "{'name': [{'service': 'b'}, {'service': 'a', 'method': ''}]}]}",
                        "methodConfig[1].name[1]: methodConfig[0] has this name already" },
                { "{'methodConfig': [{'name': [{}, {'service': ''}]}]}",
                        "methodConfig[0].name[1]: methodConfig[0] has this name already" },
                { "{'methodConfig': [{'waitForReady': 'yes'}]}",
                        "methodConfig[0].waitForReady: true or false is wanted" },
                { "{'methodConfig': [{'timeout': 5}]}",
                        "methodConfig[0].timeout: a string is wanted" },
                { "{'methodConfig': [{'timeout': '5'}]}",
                        "methodConfig[0].timeout: a duration like \"1.5s\" is wanted" },
                { "{'methodConfig': [{'maxRequestMessageBytes': -1}]}",
                        "methodConfig[0].maxRequestMessageBytes: a whole number from 0 to "
                        "4294967295 is wanted" },
                { "{'methodConfig': [{'maxResponseMessageBytes': 4294967296}]}",
                        "methodConfig[0].maxResponseMessageBytes: a whole number from 0 to "
                        "4294967295 is wanted" },
                { "{'methodConfig': [{'retryPolicy': []}]}",
                        "methodConfig[0].retryPolicy: an object is wanted" },
                { RETRY(""), POLICY ".maxAttempts: a whole number from 2 is wanted" },
                { RETRY("'maxAttempts': 1"),
                        POLICY ".maxAttempts: a whole number from 2 is wanted" },
                { RETRY("'maxAttempts': 2.5"),
                        POLICY ".maxAttempts: a whole number from 2 is wanted" },
                { RETRY("'maxAttempts': '3'"), POLICY ".maxAttempts: a number is wanted" },
                { RETRY("'maxAttempts': 2"),
                        POLICY ": initialBackoff is wanted, and more than 0s" },
                { RETRY("'maxAttempts': 2, 'initialBackoff': '0s'"),
                        POLICY ": initialBackoff is wanted, and more than 0s" },
                { RETRY("'maxAttempts': 2, 'initialBackoff': '1s'"),
                        POLICY ": maxBackoff is wanted, and more than 0s" },
                { RETRY("'maxAttempts': 2, " BACKOFFS "'backoffMultiplier': 0"),
                        POLICY ".backoffMultiplier: a number from 0.000001 to 4294 is wanted" },
                { RETRY("'maxAttempts': 2, " BACKOFFS "'backoffMultiplier': -1.5"),
                        POLICY ".backoffMultiplier: a number from 0.000001 to 4294 is wanted" },
                { RETRY("'maxAttempts': 2, " BACKOFFS "'backoffMultiplier': 1"),
                        POLICY ": retryableStatusCodes is wanted, with one code or more" },
                { RETRY("'maxAttempts': 2, " BACKOFFS
                        "'backoffMultiplier': 1, 'retryableStatusCodes': []"),
                        POLICY ": retryableStatusCodes is wanted, with one code or more" },
                { RETRY("'maxAttempts': 2, " BACKOFFS
                        "'backoffMultiplier': 1, 'retryableStatusCodes': [14, 17]"),
                        POLICY ".retryableStatusCodes[1]: a status code of gRPC is wanted, by "
                               "number or name" },
                { RETRY("'maxAttempts': 2, " BACKOFFS
                        "'backoffMultiplier': 1, 'retryableStatusCodes': ['UNAVAILABLE_']"),
                        POLICY ".retryableStatusCodes[0]: a status code of gRPC is wanted, by "
                               "number or name" },
                { RETRY("'maxAttempts': 2, " BACKOFFS
                        "'backoffMultiplier': 1, 'retryableStatusCodes': ['ok']"),
                        POLICY ".retryableStatusCodes[0]: OK is no failure" },
                { "{'methodConfig': [{'hedgingPolicy': {'maxAttempts': 2, 'hedgingDelay': "
                  "'-1s'}}]}",
                        "methodConfig[0].hedgingPolicy.hedgingDelay: a duration like \"1.5s\" is "
                        "wanted" },
                { "{'methodConfig': [{'hedgingPolicy': {'maxAttempts': 2}, 'retryPolicy': "
                  "{'maxAttempts': 2, 'initialBackoff': '1s', 'maxBackoff': '1s', "
                  "'backoffMultiplier': 1, 'retryableStatusCodes': [14]}}]}",
                        "methodConfig[0]: either retryPolicy or hedgingPolicy is wanted, not "
                        "both" },
                { "{'retryThrottling': {'tokenRatio': 1}}",
                        "retryThrottling.maxTokens: a whole number from 1 to 1000 is wanted" },
                { "{'retryThrottling': {'maxTokens': 1001, 'tokenRatio': 1}}",
                        "retryThrottling.maxTokens: a whole number from 1 to 1000 is wanted" },
                { "{'retryThrottling': {'maxTokens': 0, 'tokenRatio': 1}}",
                        "retryThrottling.maxTokens: a whole number from 1 to 1000 is wanted" },
                { "{'retryThrottling': {'maxTokens': 1, 'tokenRatio': 0.0009}}",
                        "retryThrottling.tokenRatio: a number from 0.001 to 1000 is wanted" },
                { "{'loadBalancingConfig': {}}", "loadBalancingConfig: an array is wanted" },
                { "{'loadBalancingConfig': [{'a': {}}, {'b': {}, 'c': {}}]}",
                        "loadBalancingConfig[1]: an object with one member is wanted" },
                { "{'loadBalancingPolicy': 1}", "loadBalancingPolicy: a string is wanted" },
                { "{'healthCheckConfig': {'serviceName': 1}}",
                        "healthCheckConfig.serviceName: a string is wanted" },
                { "{'connectionScaling': 2}", "connectionScaling: an object is wanted" },
                { "{'connectionScaling': {'maxConnectionsPerSubchannel': -1}}",
                        "connectionScaling.maxConnectionsPerSubchannel: a whole number from 0 to "
                        "4294967295 is wanted" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct service_config *config = NULL;

                assert_int_equal(read_config(cases[i].text, &config, problem), -EINVAL);
                assert_string_equal(problem, cases[i].problem);
                assert_null(config);
        }
}

static void test_durations(void **state)
{
        static const char *const bad[] = { "", "s", ".5s", "1.s", "1.0000000001s", "1", "1 s",
                "1ss", "-1s", "+1s", "315576000001s", "99999999999999999999999s", "1e3s", "1.5m" };
        static const struct {
                const char *text;
                uint64_t ns;
        } good[] = { { "0s", 0 }, { "0.5s", NS_PER_S / 2 }, { "3.000000001s", 3 * NS_PER_S + 1 },
                { "10.25s", 10250 * NS_PER_MS }, { "315576000000s", NS_PER_S * NS_PER_S } };
        char text[100];

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                struct service_config *config = NULL;

                sprintf(text, "{'methodConfig': [{'timeout': '%s'}]}", bad[i]);
                assert_int_equal(read_config(text, &config, problem), -EINVAL);
        }
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                struct service_config *config;

                sprintf(text, "{'methodConfig': [{'name': [{}], 'timeout': '%s'}]}", good[i].text);
                config = make(text);
                assert_int_equal(service_config_find(config, "/a/b")->timeout_ns, good[i].ns);
                service_config_unref(config);
        }
}

static void test_size(void **state)
{
        char *text = malloc(QUOIT_SERVICE_CONFIG_BYTES_MAX + 1);
        struct service_config *config = NULL;

        (void)state;
        memset(text, ' ', QUOIT_SERVICE_CONFIG_BYTES_MAX + 1);
        memcpy(text, "{}", 2);
        assert_int_equal(service_config_new(upb_StringView_FromDataAndSize(
                                                    text, QUOIT_SERVICE_CONFIG_BYTES_MAX + 1),
                                 &config, problem),
                -EINVAL);
        assert_string_equal(problem, "it has more than 65536 bytes");
        assert_int_equal(service_config_new(upb_StringView_FromDataAndSize(
                                                    text, QUOIT_SERVICE_CONFIG_BYTES_MAX),
                                 &config, problem),
                0);
        service_config_unref(config);
        free(text);
}

static void test_references(void **state)
{
        struct service_config *config = make("{}");

        (void)state;
        assert_ptr_equal(service_config_ref(config), config);
        assert_null(service_config_unref(config));
        assert_int_equal(config->method_count, 0); /* it is still there */
        service_config_unref(config);
        assert_null(service_config_ref(NULL));
        assert_null(service_config_unref(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_method),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_retry),
                cmocka_unit_test(test_hedging),
                cmocka_unit_test(test_throttling),
                cmocka_unit_test(test_balancer),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_references),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
