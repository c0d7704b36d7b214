/* SPDX-License-Identifier: MIT */

/* Calls that are tried again by a policy, against a server of ours whose failures are NOT_FOUND. */

#include "stage.h"

#include <stdio.h>

#include "client/channel.h"
#include "client/handle.h"
#include "client/subchannel.h"

#define NAME "\"name\": [{\"service\": \"script.Script\"}]"
#define POLICY(attempts, initial, codes)                                                           \
        "\"methodConfig\": [{" NAME ", \"retryPolicy\": {\"maxAttempts\": " attempts               \
        ", \"initialBackoff\": \"" initial "\", \"maxBackoff\": \"100s\", "                        \
        "\"backoffMultiplier\": 2, \"retryableStatusCodes\": [" codes "]}}]"
#define QUICK "{" POLICY("4", "0.01s", "\"not_found\"") "}"

static quoit_retry_statistics retries_of(const struct stage *stage)
{
        quoit_retry_statistics retries;

        quoit_channel_get_retries(stage->channel, &retries);
        return retries;
}

/* As often as the policy allows, and not faster. */
static void test_until_the_last(void **state)
{
        struct told told = { .act = SCRIPT_FAIL };
        struct stage stage;
        uint64_t began_ns = clock_ns();

        (void)state;
        stage_begin_configured(&stage, NULL, QUICK);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(stage.servers[0].script.started, 4);
        assert_true(clock_ns() - began_ns >= 8 * (10 + 20 + 40) * MS / 10);
        assert_int_equal(retries_of(&stage).retries, 3);
        assert_int_equal(retries_of(&stage).transparent, 0);
        assert_int_equal(retries_of(&stage).throttled, 0);
        stage_deinit(&stage);
}

/* All that was sent is sent again. */
static void test_streams(void **state)
{
        struct told told = { .kind = QUOIT_BIDI, .act = SCRIPT_FAIL, .asks = 5, .size = 900 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, QUICK);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(told.headers, 0);
        assert_int_equal(stage.servers[0].script.started, 4);
        stage_deinit(&stage);
}

static void test_other_codes(void **state)
{
        struct told told = { .act = SCRIPT_FAIL };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, "{" POLICY("4", "0.01s", "\"ABORTED\", 14") "}");
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(stage.servers[0].script.started, 1);
        assert_int_equal(retries_of(&stage).retries, 0);
        stage_deinit(&stage);
}

/* Four tokens: a second failure leaves two, and that is too few. */
static void test_throttling(void **state)
{
        struct told fails[] = { { .act = SCRIPT_FAIL }, { .act = SCRIPT_FAIL } };
        struct told works = { .size = 10 }, last = { .act = SCRIPT_FAIL };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"retryThrottling\": {\"maxTokens\": 4, \"tokenRatio\": 2.5}, " POLICY(
                        "5", "0.001s", "5") "}");
        told_call(&stage, fails);
        assert_int_equal(stage.servers[0].script.started, 2);
        assert_int_equal(retries_of(&stage).throttled, 1);
        told_call(&stage, fails + 1); /* one token is left */
        assert_int_equal(stage.servers[0].script.started, 3);
        assert_int_equal(retries_of(&stage).throttled, 2);
        told_call(&stage, &works); /* 3.5 */
        told_call(&stage, &last); /* 2.5, 1.5 */
        assert_int_equal(stage.servers[0].script.started, 6);
        assert_int_equal(retries_of(&stage).retries, 2);
        stage_deinit(&stage);
}

/* A failure to connect is one too. */
static void test_no_connection(void **state)
{
        const quoit_channel_options options = { .service_config =
                                                        "{" POLICY("3", "0.001s", "14") "}" };
        struct told told = { .size = 10 };
        struct stage stage;

        (void)state;
        stage_init(&stage, NULL);
        stage_open_with(&stage, "unix:/nonexistent/socket", &options);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        assert_non_null(strstr(told.text, "/nonexistent/socket"));
        assert_int_equal(retries_of(&stage).retries, 2);
        stage_deinit(&stage);
}

/* ---- what happens meanwhile ---- */

static void test_deadline(void **state)
{
        const quoit_call_options options = { .timeout_ms = 500 };
        struct told told = { .act = SCRIPT_FAIL, .options = &options };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, "{" POLICY("4", "20s", "5") "}");
        told_call(&stage, &told);
        assert_string_equal(told.text, "DEADLINE_EXCEEDED: deadline exceeded before attempt 2; the "
                                       "last one: NOT_FOUND: ");
        assert_int_equal(stage.servers[0].script.started, 1);
        stage_deinit(&stage);
}

static void test_cancel(void **state)
{
        struct told told = { .act = SCRIPT_FAIL }, freed = { .act = SCRIPT_FAIL };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, "{" POLICY("4", "20s", "5") "}");
        told.stage = freed.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(retries_of(&stage).retries >= 1);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        stage_run(&stage, told_start, &freed);
        WAIT(retries_of(&stage).retries >= 2);
        stage.channel = quoit_channel_free(stage.channel);
        told_wait(&freed);
        assert_int_equal(freed.status, QUOIT_CANCELLED);
        stage_deinit(&stage);
        assert_int_equal(stage.servers[0].script.started, 2);
}

/* ---- what the balancer hears ---- */

/* An ORCA report: 0.75 of the server is in use, at 100 requests a second. */
static void add_report(quoit_call *call, void *user)
{
        static const char report[] = "\x31\x00\x00\x00\x00\x00\x00\x59\x40"
                                     "\x49\x00\x00\x00\x00\x00\x00\xe8\x3f";

        (void)user;
        assert_int_equal(quoit_call_add_trailer(call, "endpoint-load-metrics-bin",
                                 upb_StringView_FromDataAndSize(report, sizeof(report) - 1)),
                0);
}

static void add_reports(quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_start = add_report };

        assert_int_equal(quoit_server_intercept(server, &interceptor, NULL), 0);
}

struct look {
        struct stage *stage;
        double weight;
        uint32_t calls;
};

static void look(void *arg)
{
        struct look *seen = arg;
        const struct subchannel *subchannel = seen->stage->channel->parts[0]->subchannels[0];

        seen->weight = subchannel->weight.value;
        seen->calls = subchannel->calls;
}

/* While it pauses it is no call of the server's that has failed it, and what that has reported counts. */
static void test_balancer_hears_at_once(void **state)
{
        const quoit_load_balancing balancing = { .policy = "weighted_round_robin" };
        const quoit_channel_options options = { .load_balancing = &balancing,
                .service_config = "{" POLICY("4", "20s", "5") "}" };
        struct told told = { .act = SCRIPT_FAIL };
        struct stage stage;
        struct look seen = { .stage = &stage, .calls = 1 };

        (void)state;
        stage_init(&stage, NULL);
        stage.on_server = add_reports;
        stage_serve(&stage, 0, 0, NULL);
        stage_open_with(&stage, stage.servers[0].target, &options);
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(retries_of(&stage).retries >= 1);
        WAIT((stage_run(&stage, look, &seen), seen.calls == 0));
        assert_true(seen.weight > 0);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        stage_deinit(&stage);
}

/* ---- what is kept ---- */

/* It has sent more than is kept for it, or for all. */
static void try_with_limits(quoit_client_limits limits, unsigned asks, size_t expected)
{
        struct told told = {
                .kind = QUOIT_CLIENT_STREAMING, .act = SCRIPT_FAIL, .asks = asks, .size = 1
        };
        struct stage stage;

        stage_begin_configured(&stage, &limits, QUICK);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(stage.servers[0].script.started, expected);
        assert_int_equal(retries_of(&stage).overruns, expected == 1);
        stage_deinit(&stage);
}

static void test_limits(void **state)
{
        (void)state;
        /* an Ask of these has nine bytes, with its prefix */
        try_with_limits((quoit_client_limits){ .replay_bytes_max = 90 }, 10, 4);
        try_with_limits((quoit_client_limits){ .replay_bytes_max = 89 }, 10, 1);
        try_with_limits((quoit_client_limits){ .replay_channel_bytes_max = 90 }, 10, 4);
        try_with_limits((quoit_client_limits){ .replay_channel_bytes_max = 89 }, 10, 1);
}

/* What calls have kept is given back when they end: many small ones never exceed the channel's. */
static void test_limit_is_given_back(void **state)
{
        const quoit_client_limits limits = { .replay_channel_bytes_max = 100 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, &limits, "{" POLICY("2", "0.001s", "5") "}");
        for (int i = 0; i < 20; i++) {
                struct told works = { .size = 1 }, fails = { .act = SCRIPT_FAIL, .size = 1 };

                told_call(&stage, &works);
                assert_string_equal(works.text, "OK");
                told_call(&stage, &fails);
        }
        assert_int_equal(retries_of(&stage).retries, 20);
        assert_int_equal(retries_of(&stage).overruns, 0);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_until_the_last),
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_other_codes),
                cmocka_unit_test(test_throttling),
                cmocka_unit_test(test_no_connection),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_balancer_hears_at_once),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_limit_is_given_back),
        };

        return RUN_ON_BOTH_ENGINES("client/retry-calls", tests);
}
