/* SPDX-License-Identifier: MIT */

/* Lists of addresses, of which one has the calls (A56), with real servers behind them. */

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <quoit/health.h>

#include "client/channel.h"
#include "client/handle.h"

/* ---- what stands on the stage ---- */

static const quoit_client_limits hasty = { .backoff_initial_ms = 20, .backoff_max_ms = 50 };

/* A port that nobody listens on, until the test has a server there. */
static uint16_t spare_port(void)
{
        uint16_t port;

        close(stage_bound_socket(&port));
        return port;
}

/* Connections are accepted by the kernel, and nobody ever says anything. */
static int listen_silently(uint16_t *ret_port)
{
        int fd = stage_bound_socket(ret_port);

        assert_int_equal(listen(fd, 10), 0);
        return fd;
}

static void open_port(struct stage *stage, uint16_t port, const quoit_channel_options *options)
{
        char target[32];

        snprintf(target, sizeof(target), "127.0.0.1:%u", port);
        stage_open_with(stage, target, options);
}

/* Falls back to the stage's servers 0 and 1, in this order. */
static void open_with_two(struct stage *stage, uint16_t port, const char *policy)
{
        const char *const fallbacks[] = { stage->servers[0].target, stage->servers[1].target };
        const quoit_load_balancing balancing = { .policy = policy };
        const quoit_channel_options options = {
                .load_balancing = &balancing,
                .fallback_targets = fallbacks,
                .fallback_target_count = 2,
        };

        open_port(stage, port, &options);
}

static void begin(struct stage *stage, const quoit_client_limits *limits)
{
        stage_init(stage, limits);
        for (unsigned i = 0; i < 2; i++)
                stage_serve(stage, i, 0, NULL);
}

static void end(struct stage *stage)
{
        stage_deinit(stage);
        clock_restore();
}

struct look {
        struct stage *stage;
        unsigned ready[QUOIT_CHANNEL_TIERS_MAX];
        unsigned chosen;
        bool second_is_begun;
};

static void look(void *arg)
{
        struct look *seen = arg;
        const struct channel *channel = seen->stage->channel->parts[0];

        memset(seen->ready, 0, sizeof(seen->ready));
        seen->second_is_begun = channel->tiers[1].is_begun;
        seen->chosen = (unsigned)(channel->tier - channel->tiers);
        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels[i];

                seen->ready[subchannel->tier - channel->tiers] +=
                        subchannel->state == SUBCHANNEL_READY;
        }
}

static struct look look_at(struct stage *stage)
{
        struct look seen = { .stage = stage };

        stage_run(stage, look, &seen);
        return seen;
}

/* ---- failures ---- */

/* The first list has nobody, the second one has; no call notices. When the first one comes, calls are its. */
static void fail_over_and_back(const char *policy)
{
        struct stage stage;
        uint16_t port = spare_port();

        begin(&stage, &hasty);
        open_with_two(&stage, port, policy);
        for (unsigned i = 0; i < 10; i++)
                stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 0), 10);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_READY);
        stage_serve(&stage, 2, port, NULL);
        WAIT(look_at(&stage).chosen == 0);
        for (unsigned i = 0; i < 10; i++)
                stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 2), 10);
        assert_int_equal(stage_started(&stage, 1), 0);
        assert_int_equal(look_at(&stage).ready[1], 1); /* for a while */
        stage_end_server(&stage, 2);
        for (unsigned i = 0; i < 10; i++)
                stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 0), 20);
        end(&stage);
}

static void test_fail_over_and_back(void **state)
{
        static const char *const policies[] = { "pick_first", "round_robin", "ring_hash",
                "least_request", "weighted_round_robin" };

        (void)state;
        for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
                fail_over_and_back(policies[i]);
}

/* From list to list, and all the reasons where none is left. */
static void test_all_fail(void **state)
{
        struct stage stage;
        struct told told = { 0 };

        (void)state;
        begin(&stage, &(quoit_client_limits){ .backoff_initial_ms = 60000 });
        open_with_two(&stage, spare_port(), "round_robin");
        stage_end_server(&stage, 0);
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 1), 1);
        stage_end_server(&stage, 1);
        WAIT(quoit_channel_get_state(stage.channel) != QUOIT_CHANNEL_READY);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_TRANSIENT_FAILURE);
        assert_non_null(strstr(told.text, stage.servers[0].target));
        assert_non_null(strstr(told.text, stage.servers[1].target));
        end(&stage);
}

/* An address is in the first list that has it. A list that has no other is no place to wait. */
static void test_nothing_else(void **state)
{
        static const char *const policies[] = { "pick_first", "round_robin", "ring_hash" };

        (void)state;
        for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
                const quoit_load_balancing balancing = { .policy = policies[i] };
                struct stage stage;
                struct told told = { 0 };
                uint16_t port = spare_port();
                char target[32];
                const char *const fallbacks[] = { target };

                snprintf(target, sizeof(target), "127.0.0.1:%u", port);
                begin(&stage, &(quoit_client_limits){ .backoff_initial_ms = 60000 });
                open_port(&stage, port,
                        &(quoit_channel_options){ .load_balancing = &balancing,
                                .fallback_targets = fallbacks,
                                .fallback_target_count = 1 });
                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_UNAVAILABLE);
                end(&stage);
        }
}

/* ---- ten seconds, a quarter of an hour ---- */

/* One that only connects is waited for 10 s; and it goes on connecting. */
static void test_ten_seconds(void **state)
{
        struct stage stage;
        struct told told = { .stage = &stage };
        uint16_t port;
        int silent = listen_silently(&port);

        (void)state;
        begin(&stage, &(quoit_client_limits){ .connect_ms = 60000 });
        open_with_two(&stage, port, "round_robin");
        stage_run(&stage, told_start, &told);
        clock_advance(&stage, 0);
        for (unsigned i = 0; i < 5; i++) { /* the rest is for a busy machine */
                clock_advance(&stage, SECOND);
                assert_int_equal(told.dones, 0);
                assert_int_equal(look_at(&stage).chosen, 0);
        }
        clock_advance(&stage, 5 * SECOND);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(stage_started(&stage, 0), 1);
        assert_int_equal(look_at(&stage).chosen, 1);
        end(&stage);
        close(silent);
}

static unsigned ready_behind(struct stage *stage)
{
        return look_at(stage).ready[1];
}

/* What is behind the one that works keeps its connections for 15 minutes. */
static void test_kept(void **state)
{
        struct stage stage;
        struct look seen;
        uint16_t port = spare_port();

        (void)state;
        begin(&stage,
                &(quoit_client_limits){
                        .backoff_initial_ms = 20, .backoff_max_ms = 50, .idle_ms = UINT32_MAX });
        open_with_two(&stage, port, "round_robin");
        stage_call_ok(&stage);
        stage_serve(&stage, 2, port, NULL);
        WAIT(look_at(&stage).chosen == 0);
        for (unsigned i = 0; i < 14; i++) {
                clock_advance(&stage, 60 * SECOND);
                assert_int_equal(ready_behind(&stage), 1);
        }
        clock_advance(&stage, 61 * SECOND);
        WAIT(ready_behind(&stage) == 0);
        seen = look_at(&stage);
        assert_int_equal(seen.chosen, 0);
        assert_int_equal(seen.ready[0], 1);
        stage_end_server(&stage, 2); /* it begins anew */
        stage_call_ok(&stage);
        assert_int_equal(ready_behind(&stage), 1);
        assert_int_equal(stage_started(&stage, 0), 2);
        end(&stage);
}

/* Nobody calls: all lists rest, and all begin again. */
static void test_rest(void **state)
{
        struct stage stage;
        uint16_t port = spare_port();

        (void)state;
        begin(&stage, &(quoit_client_limits){
                              .backoff_initial_ms = 20, .backoff_max_ms = 50, .idle_ms = 200 });
        open_with_two(&stage, port, "round_robin");
        for (unsigned i = 0; i < 3; i++) {
                stage_call_ok(&stage);
                WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        }
        assert_int_equal(stage_started(&stage, 0), 3);
        end(&stage);
}

/* Also while one that has failed goes on trying behind one that is IDLE. */
static void test_rest_of_failed(void **state)
{
        struct stage stage;
        uint16_t port = spare_port();
        char fallback[32];

        (void)state;
        begin(&stage, &(quoit_client_limits){
                              .backoff_initial_ms = 20, .backoff_max_ms = 50, .idle_ms = 300 });
        snprintf(fallback, sizeof(fallback), "127.0.0.1:%u", spare_port());
        open_port(&stage, port,
                &(quoit_channel_options){ .fallback_targets = (const char *const[]){ fallback },
                        .fallback_target_count = 1 });
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_TRANSIENT_FAILURE);
        stage_serve(&stage, 2, port, NULL);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_READY);
        assert_true(look_at(&stage).second_is_begun);
        stage_end_server(&stage, 2);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        WAIT(!look_at(&stage).second_is_begun);
        stage_serve(&stage, 2, port, NULL);
        stage_call_ok(&stage);
        end(&stage);
}

/* ---- beneath it ---- */

static const quoit_outlier_detection ejects_all = {
        .interval_ms = 50,
        .base_ejection_ms = 60000,
        .max_ejection_percent = 100,
        .failure_hosts_min = 1,
        .failure_calls_min = 1,
        .failure_threshold_percent = 50,
        .success_rate_enforcement = UINT32_MAX,
};

/* A list whose addresses are all ejected has failed, until they are not any more. */
static void test_outliers(void **state)
{
        struct stage stage;
        const quoit_load_balancing balancing = { .policy = "round_robin",
                .outlier_detection = &ejects_all };
        struct told told = { .act = SCRIPT_FAIL };

        (void)state;
        begin(&stage, NULL);
        open_port(&stage, stage.servers[0].port,
                &(quoit_channel_options){ .load_balancing = &balancing,
                        .fallback_targets = (const char *const[]){ stage.servers[1].target },
                        .fallback_target_count = 1 });
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(stage_started(&stage, 0), 1);
        WAIT(look_at(&stage).chosen == 1);
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 1), 1);
        clock_advance(&stage, 61 * SECOND);
        WAIT(look_at(&stage).chosen == 0);
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 0), 2);
        end(&stage);
}

static quoit_health *healths[2];
static unsigned health_count;

static void add_health(quoit_server *server)
{
        assert_int_equal(quoit_health_register(server, healths + health_count++), 0);
}

/* The same for one that says that it does not serve. */
static void test_health(void **state)
{
        struct stage stage;

        (void)state;
        health_count = 0;
        stage_init(&stage, NULL);
        stage.on_server = add_health;
        for (unsigned i = 0; i < 2; i++)
                stage_serve(&stage, i, 0, NULL);
        open_port(&stage, stage.servers[0].port,
                &(quoit_channel_options){
                        .service_config = "{\"loadBalancingConfig\": [{\"round_robin\": {}}],"
                                          "\"healthCheckConfig\": {\"serviceName\": \"\"}}",
                        .fallback_targets = (const char *const[]){ stage.servers[1].target },
                        .fallback_target_count = 1 });
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 0), 1);
        quoit_health_set(healths[0], "", QUOIT_HEALTH_NOT_SERVING);
        WAIT(look_at(&stage).chosen == 1);
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 1), 1);
        quoit_health_set(healths[0], "", QUOIT_HEALTH_SERVING);
        WAIT(look_at(&stage).chosen == 0);
        stage_call_ok(&stage);
        assert_int_equal(stage_started(&stage, 0), 2);
        end(&stage);
}

/* ---- options ---- */

static void test_options(void **state)
{
        static const char *const eight[QUOIT_CHANNEL_TIERS_MAX] = { "127.0.0.1:1", "127.0.0.1:2",
                "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6", "127.0.0.1:7",
                "127.0.0.1:8" };
        static const char *const names[] = { "backend.test:1" }, *const bad[] = { "127.0.0.1:0" };
        char many[QUOIT_CHANNEL_ADDRESSES_MAX * 16] = "ipv4:1.1.1.1:1";
        const char *const crowd[] = { many };
        const struct {
                const char *const *targets;
                size_t count;
                int expected;
        } cases[] = {
                { eight, 7, 0 },
                { eight, 8, -E2BIG },
                { names, 1, -EINVAL },
                { bad, 1, -EINVAL },
                { crowd, 1, -E2BIG },
        };
        struct stage stage;

        (void)state;
        for (unsigned i = 1; i < QUOIT_CHANNEL_ADDRESSES_MAX; i++)
                strcat(many, ",1.1.1.1:1");
        stage_init(&stage, NULL);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const quoit_channel_options options = { .fallback_targets = cases[i].targets,
                        .fallback_target_count = cases[i].count };
                quoit_channel *channel = NULL;

                assert_int_equal(quoit_channel_new(stage.client, "127.0.0.1:9", &options, &channel),
                        cases[i].expected);
                assert_int_equal(channel != NULL, cases[i].expected == 0);
                quoit_channel_free(channel);
        }
        assert_null(quoit_client_free(stage.client));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fail_over_and_back),
                cmocka_unit_test(test_all_fail),
                cmocka_unit_test(test_nothing_else),
                cmocka_unit_test(test_ten_seconds),
                cmocka_unit_test(test_kept),
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_rest_of_failed),
                cmocka_unit_test(test_outliers),
                cmocka_unit_test(test_health),
                cmocka_unit_test(test_options),
        };

        return RUN_ON_BOTH_ENGINES("client/tiers", tests);
}
