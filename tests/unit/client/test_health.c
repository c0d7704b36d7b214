/* SPDX-License-Identifier: MIT */

/* Connections whose servers say how they are (A17): beside what tests/test_client_balancing.py does. */

#include "stage.h"

#include <stdatomic.h>
#include <stdio.h>

#include <quoit/health.h>

#include "client/channel.h"
#include "client/handle.h"

static const char config[] = "{\"loadBalancingConfig\": [{\"round_robin\": {}}],"
                             "\"healthCheckConfig\": {\"serviceName\": \"\"},"
                             "\"methodConfig\": [{\"name\": [{}], \"timeout\": \"5s\"}]}";

static void add_health(quoit_server *server)
{
        assert_int_equal(quoit_health_register(server, NULL), 0);
}

static void begin(
        struct stage *stage, const quoit_client_limits *limits, const quoit_limits *server_limits)
{
        const quoit_channel_options options = { .service_config = config };
        char target[100];

        stage_init(stage, limits);
        stage->on_server = add_health;
        for (unsigned i = 0; i < 2; i++)
                stage_serve(stage, i, 0, server_limits);
        snprintf(target, sizeof(target), "ipv4:%s,%s", stage->servers[0].target,
                stage->servers[1].target);
        stage_open_with(stage, target, &options);
}

struct look {
        struct stage *stage;
        unsigned watched;
};

static void look(void *arg)
{
        struct look *seen = arg;
        const struct channel *channel = seen->stage->channel->parts[0];

        seen->watched = 0;
        for (unsigned i = 0; i < channel->count; i++)
                seen->watched += channel->subchannels[i]->check.health == HEALTH_SERVING;
}

static unsigned watched_count(struct stage *stage)
{
        struct look seen = { .stage = stage };

        stage_run(stage, look, &seen);
        return seen.watched;
}

/* A Watch is not a call: without calls the connections end. */
static void test_idle(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, &(quoit_client_limits){ .idle_ms = 200 }, NULL);
        for (unsigned i = 0; i < 2; i++) {
                stage_call_ok(&stage);
                WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
                WAIT(watched_count(&stage) == 0);
        }
        stage_deinit(&stage);
}

/* Each new connection has a Watch of its own, and calls wait for its first answer. */
static void test_short_lives(void **state)
{
        const quoit_limits limits = { .connection_age_ms = 40, .connection_age_grace_ms = 5000 };
        uint64_t end_ns = clock_ns() + SECOND;
        struct stage stage;

        (void)state;
        begin(&stage, NULL, &limits);
        while (clock_ns() < end_ns)
                stage_call_ok(&stage);
        stage_deinit(&stage);
}

/* Its server comes back: it is watched again, and has calls. */
static void test_server_comes_back(void **state)
{
        struct stage stage;
        uint16_t port;

        (void)state;
        begin(&stage, &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 50 },
                NULL);
        stage_call_ok(&stage);
        WAIT(watched_count(&stage) == 2);
        port = stage.servers[0].port;
        stage_end_server(&stage, 0);
        WAIT(watched_count(&stage) == 1);
        for (unsigned i = 0; i < 10; i++)
                stage_call_ok(&stage);
        stage_serve(&stage, 0, port, NULL);
        WAIT(watched_count(&stage) == 2);
        for (unsigned i = 0; i < 10; i++)
                stage_call_ok(&stage);
        assert_int_equal(stage.servers[0].script.started, 5);
        stage_deinit(&stage);
}

/* Also while a Watch is about to begin, or has just begun. */
static void test_freed_at_any_time(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 20; i++) {
                struct stage stage;

                begin(&stage, NULL, NULL);
                assert_int_equal(quoit_channel_connect(stage.channel), 0);
                usleep(i * 200);
                stage_deinit(&stage);
        }
}

/* ---- retry throttling ---- */

static atomic_uint watches;

/* Watch is answered by its end: OK, and a failure that is not to be tried again, in turn. */
static void end_watch(quoit_call *call, void *user)
{
        const quoit_method *method = quoit_call_method(call);

        (void)user;
        if (!method || strcmp(method->path, "/grpc.health.v1.Health/Watch") != 0)
                return;
        if (atomic_fetch_add(&watches, 1) % 2 == 0) {
                quoit_call_finish(call, QUOIT_OK, NULL);
                return;
        }
        assert_int_equal(quoit_call_add_trailer(
                                 call, "grpc-retry-pushback-ms", upb_StringView_FromString("-1")),
                0);
        quoit_call_finish(call, QUOIT_UNAVAILABLE, NULL);
}

static void add_ending_health(quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_start = end_watch };

        add_health(server);
        assert_int_equal(quoit_server_intercept(server, &interceptor, NULL), 0);
}

static void take_tokens(void *arg)
{
        const struct stage *stage = arg;

        stage->channel->parts[0]->throttle.tokens = 2000;
}

static void assert_tokens_are_the_same(void *arg)
{
        const struct stage *stage = arg;

        assert_int_equal(stage->channel->parts[0]->throttle.tokens, 2000);
}

/* The channel's own calls say nothing about the program's. */
static void test_throttle(void **state)
{
        const quoit_channel_options options = {
                .service_config = "{\"loadBalancingConfig\": [{\"round_robin\": {}}],"
                                  "\"healthCheckConfig\": {\"serviceName\": \"\"},"
                                  "\"retryThrottling\": {\"maxTokens\": 10, \"tokenRatio\": 1}}"
        };
        struct stage stage;
        unsigned before;

        (void)state;
        stage_init(&stage, &(quoit_client_limits){ .backoff_initial_ms = 5, .backoff_max_ms = 5 });
        stage.on_server = add_ending_health;
        stage_serve(&stage, 0, 0, NULL);
        stage_open_with(&stage, stage.servers[0].target, &options);
        stage_run(&stage, take_tokens, &stage);
        before = atomic_load(&watches);
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(atomic_load(&watches) >= before + 5);
        stage_run(&stage, assert_tokens_are_the_same, &stage);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_short_lives),
                cmocka_unit_test(test_server_comes_back),
                cmocka_unit_test(test_freed_at_any_time),
                cmocka_unit_test(test_throttle),
        };

        return RUN_ON_BOTH_ENGINES("client/health", tests);
}
