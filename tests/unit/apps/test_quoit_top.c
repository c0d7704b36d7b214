/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../../apps/quoit/top_metrics.h"

static const char sample[] =
        "# TYPE grpc_server_call_duration_seconds histogram\n"
        "grpc_server_call_duration_seconds_bucket{grpc_method=\"a\",grpc_status=\"OK\",le=\"0.01\"}"
        " 50\n"
        "grpc_server_call_duration_seconds_bucket{grpc_method=\"a\",grpc_status=\"OK\",le=\"0.02\"}"
        " 60\n"
        "grpc_server_call_duration_seconds_bucket{grpc_method=\"a\",grpc_status=\"OK\",le=\"+Inf\"}"
        " 60\n"
        "grpc_server_call_duration_seconds_sum{grpc_method=\"a\",grpc_status=\"OK\"} 1\n"
        "grpc_client_call_duration_seconds_bucket{grpc_method=\"a\",le=\"0.01\"} 1000\n"
        "grpc_server_call_duration_seconds_bucket{le=\"0.04\",grpc_method=\"b\"} 40\n"
        "grpc_server_call_duration_seconds_bucket{le=\"0.02\",grpc_method=\"b\"} 20\n"
        "grpc_server_call_duration_seconds_bucket{le=\"+Inf\",grpc_method=\"b\"} 40\n"
        "grpc_server_call_duration_seconds_bucket{le=\"0.04\"\n"
        "grpc_server_call_duration_seconds_bucket{le=\"x\"} 7\n"
        "grpc_server_call_duration_seconds_bucket{le=\"-1\"} 7";

static void check_ms(const struct top_latency *before, const struct top_latency *now, double q,
        double expected_ms)
{
        double ms = 1000 * top_metrics_quantile_s(before, now, q);

        if (ms < expected_ms - 1e-6 || ms > expected_ms + 1e-6)
                fail_msg("%g, not %g", ms, expected_ms);
}

static void methods_are_added_up(void **state)
{
        static const struct top_latency none;
        struct top_latency now = { 0 };

        (void)state;
        top_metrics_parse(&now, sample);
        assert_int_equal(now.count, 4);
        assert_true(now.counts[0] == 50 && now.counts[1] == 80 && now.counts[2] == 40 &&
                    now.counts[3] == 100);
        check_ms(&none, &now, 0.25, 5);
        check_ms(&none, &now, 0.5, 10);
        check_ms(&none, &now, 0.65, 15);
}

static void only_what_is_new_counts(void **state)
{
        struct top_latency before = { 0 }, now = { 0 };

        (void)state;
        top_metrics_parse(&before, sample);
        now = before;
        assert_true(top_metrics_quantile_s(&before, &now, 0.5) < 0);
        top_metrics_parse(&now, "grpc_server_handling_seconds_bucket{le=\"0.02\"} 10\n"
                                "grpc_server_handling_seconds_bucket{le=\"0.04\"} 10\n"
                                "grpc_server_handling_seconds_bucket{le=\"+Inf\"} 20\n");
        check_ms(&before, &now, 0.25, 15);
        check_ms(&before, &now, 0.99, 40); /* longer than the last bound: at least that */
}

static void buckets_are_bounded(void **state)
{
        struct top_latency now = { 0 };
        char line[80];

        (void)state;
        for (int i = 1; i < 3 * TOP_BUCKETS_MAX; i++) {
                snprintf(line, sizeof(line), "grpc_server_handling_seconds_bucket{le=\"%d\"} 1\n",
                        i);
                top_metrics_parse(&now, line);
        }
        assert_int_equal(now.count, TOP_BUCKETS_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(methods_are_added_up),
                cmocka_unit_test(only_what_is_new_counts),
                cmocka_unit_test(buckets_are_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
