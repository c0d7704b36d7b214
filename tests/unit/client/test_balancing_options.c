/* SPDX-License-Identifier: MIT */

/* Which policy balances a channel's calls, and how: by its options or its service config. */

#include "../core/harness.h"

#include <errno.h>
#include <stdio.h>

#include "client/balancer.h"
#include "client/balancing.h"
#include "configs.h"

/* ---- by options ---- */

static int check(quoit_load_balancing options)
{
        struct balancing balancing;

        return balancing_from_options(&options, &balancing);
}

static void test_options(void **state)
{
        static const char long_name[QUOIT_HASH_HEADER_BYTES + 1] =
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        const quoit_balancer nothing = { 0 };

        (void)state;
        assert_int_equal(check((quoit_load_balancing){ 0 }), 0);
        assert_int_equal(check((quoit_load_balancing){ .policy = "ring_hash_experimental" }), 0);
        assert_int_equal(check((quoit_load_balancing){ .policy = "round-robin" }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .policy = "" }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .choice_count = 1 }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .choice_count = 11 }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .ring_size_max = 4097 }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .ring_size_max = 1000 }), -EINVAL);
        assert_int_equal(
                check((quoit_load_balancing){ .ring_size_min = 10, .ring_size_max = 1000 }), 0);
        assert_int_equal(check((quoit_load_balancing){ .weight_update_ms = 99 }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .error_penalty = -1 }), 0);
        assert_int_equal(check((quoit_load_balancing){ .hash_header = long_name }), -EINVAL);
        assert_int_equal(check((quoit_load_balancing){ .hash_header = long_name + 1 }), 0);
        assert_int_equal(check((quoit_load_balancing){ .balancer = &nothing }), -EINVAL);
        assert_int_equal(
                check((quoit_load_balancing){
                        .outlier_detection =
                                &(quoit_outlier_detection){ .failure_threshold_percent = 101 } }),
                -EINVAL);
}

/* ---- by the service config ---- */

static int read_balancing(const char *text, struct balancing *ret_balancing, char *ret_problem)
{
        struct service_config *config;
        char whole[1000];
        int r;

        snprintf(whole, sizeof(whole), "{'loadBalancingConfig': %s}", text);
        r = read_config(whole, &config, ret_problem);
        if (r == 0) {
                assert_true(config->has_balancing);
                *ret_balancing = config->balancing;
                service_config_unref(config);
        }
        return r;
}

static struct balancing config_of(const char *text)
{
        char problem[SERVICE_CONFIG_PROBLEM_BYTES];
        struct balancing balancing;

        assert_int_equal(read_balancing(text, &balancing, problem), 0);
        return balancing;
}

static void test_config(void **state)
{
        struct balancing said;

        (void)state;
        assert_true(config_of("[{'pick_first': {'shuffleAddressList': true}}]").shuffles);
        assert_string_equal(
                config_of("[{'new': 1}, {'round_robin': {}}, {'pick_first': {}}]").policy->name,
                "round_robin");
        assert_int_equal(
                config_of("[{'least_request_experimental': {'choiceCount': 100}}]").choice_count,
                10);
        said = config_of("[{'ring_hash_experimental': {'minRingSize': 5, 'maxRingSize': 100000, "
                         "'requestHashHeader': 'x-user'}}]");
        assert_int_equal(said.ring_size_min, 5);
        assert_int_equal(said.ring_size_max, 4096);
        assert_string_equal(said.hash_header, "x-user");
        said = config_of(
                "[{'weighted_round_robin': {'blackoutPeriod': '0s', 'weightUpdatePeriod': '0.01s', "
                "'errorUtilizationPenalty': 2.5}}]");
        assert_int_equal(said.blackout_ns, 0);
        assert_int_equal(said.update_ns, 100 * MS);
        assert_int_equal(said.expiration_ns, 180 * SECOND);
        assert_true(said.error_penalty == 2.5);
        assert_int_equal(said.reporting_ns, 0);
        said = config_of("[{'weighted_round_robin': {'oobReportingPeriod': '3s'}}]");
        assert_int_equal(said.reporting_ns, 0);
        said = config_of("[{'weighted_round_robin': {'enableOobLoadReport': true}}]");
        assert_int_equal(said.reporting_ns, 10 * SECOND);
        said = config_of("[{'weighted_round_robin': {'enableOobLoadReport': true, "
                         "'oobReportingPeriod': '3s'}}]");
        assert_int_equal(said.reporting_ns, 3 * SECOND);
        said = config_of(
                "[{'outlier_detection_experimental': {'interval': '1s', 'maxEjectionPercent': 50, "
                "'failurePercentageEjection': {'threshold': 20, 'requestVolume': 7}, "
                "'childPolicy': [{'round_robin': {}}]}}]");
        assert_true(said.ejects);
        assert_string_equal(said.policy->name, "round_robin");
        assert_int_equal(said.outliers.interval_ns, SECOND);
        assert_int_equal(said.outliers.base_ns, 30 * SECOND);
        assert_int_equal(said.outliers.ejected_percent_max, 50);
        assert_int_equal(said.outliers.success_rate.enforcement_percent, 0);
        assert_int_equal(said.outliers.failure_percentage.enforcement_percent, 100);
        assert_int_equal(said.outliers.failure_percentage.calls_min, 7);
        assert_int_equal(said.outliers.threshold_percent, 20);
}

static void test_bad_config(void **state)
{
        static const struct {
                const char *text, *problem;
        } bad[] = {
                { "[{'new': {}}]", ": none of its policies is known" },
                { "[{'round_robin': 1}]", "[0]: an object is wanted" },
                { "[{'least_request_experimental': {'choiceCount': 1}}]",
                        "[0].choiceCount: a whole number from 2 to 4294967295 is wanted" },
                { "[{'ring_hash_experimental': {'minRingSize': 5000}}]",
                        "[0]: minRingSize is larger than maxRingSize" },
                { "[{'ring_hash_experimental': {'maxRingSize': 9000000}}]",
                        "[0].maxRingSize: a whole number from 1 to 8388608 is wanted" },
                { "[{'weighted_round_robin': {'errorUtilizationPenalty': -1}}]",
                        "[0].errorUtilizationPenalty: a number that is not negative is wanted" },
                { "[{'outlier_detection_experimental': {}}]", "[0].childPolicy: it is missing" },
                { "[{'outlier_detection_experimental': {'interval': '0s', 'childPolicy': "
                  "[{'round_robin': {}}]}}]",
                        "[0]: the interval is too short" },
                { "[{'outlier_detection_experimental': {'maxEjectionPercent': 101}}]",
                        "[0].childPolicy: it is missing" },
                { "[{'outlier_detection_experimental': {'childPolicy': "
                  "[{'outlier_detection_experimental': {}}]}}]",
                        "[0].childPolicy: none of its policies is known" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                char problem[SERVICE_CONFIG_PROBLEM_BYTES] = "";
                struct balancing balancing;

                assert_int_equal(read_balancing(bad[i].text, &balancing, problem), -EINVAL);
                assert_memory_equal(problem, "loadBalancingConfig", 19);
                assert_string_equal(problem + 19, bad[i].problem);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_config),
                cmocka_unit_test(test_bad_config),
        };

        return cmocka_run_group_tests_name("client/balancing-options", tests, NULL, NULL);
}
