/* SPDX-License-Identifier: MIT */

/* Channels whose servers are named by the SRV records of a server of DNS of the test's own, with real servers behind them. */

#include "stage.h"

#include <stdio.h>

#include "client/channel.h"
#include "client/handle.h"
#include "name_server.h"

#define SERVERS 3

/* Targets a.test to c.test are 127.0.0.1 to 127.0.0.3. The records are a test's. */
struct cast {
        struct stage stage;
        struct name_server names;
        struct name_service services[SERVERS];
        struct name_rule rules[SERVERS + 3];
};

static void cast_services(struct cast *cast, const unsigned (*services)[2], unsigned count)
{
        static const char *const hosts[] = { "a.test", "b.test", "c.test" };

        for (unsigned i = 0; i < count; i++)
                cast->services[i] = (struct name_service){ hosts[i], services[i][0], services[i][1],
                        cast->stage.servers[i].port };
        cast->rules[0] = (struct name_rule){ "_grpc._tcp.backend.test", NAME_SRV,
                .services = cast->services, .count = count };
        for (unsigned i = 0; i < SERVERS; i++)
                cast->rules[1 + i] =
                        (struct name_rule){ hosts[i], NAME_A, .first = i + 1, .count = 1 };
        cast->rules[1 + SERVERS] =
                (struct name_rule){ "backend.test", NAME_A, .first = 3, .count = 1 };
        cast->rules[2 + SERVERS] = (struct name_rule){ .name = NULL };
}

/* @services: priorities and weights of the stage's servers. */
static void cast_begin(struct cast *cast, const unsigned (*services)[2], unsigned count,
        const quoit_client_limits *limits)
{
        stage_init(&cast->stage, limits);
        for (unsigned i = 0; i < SERVERS; i++) {
                char host[16];

                snprintf(host, sizeof(host), "127.0.0.%u", i + 1);
                stage_serve_at(&cast->stage, i, host, 0, NULL);
        }
        cast_services(cast, services, count);
        name_server_start(&cast->names, cast->rules);
}

static void cast_open(struct cast *cast, const char *name, const char *policy)
{
        const quoit_load_balancing balancing = { .policy = policy };
        const quoit_channel_options options = { .looks_up_srv = true,
                .load_balancing = &balancing };
        char target[128];

        snprintf(target, sizeof(target), "dns://127.0.0.1:%u/%s", cast->names.port, name);
        stage_open_with(&cast->stage, target, &options);
}

static void cast_end(struct cast *cast)
{
        stage_deinit(&cast->stage);
        name_server_stop(&cast->names);
}

/* Records have ports; the target's is not used. A service can be named itself. */
static void test_srv(void **state)
{
        static const unsigned services[][2] = { { 1, 1 } };
        static const char *const names[] = { "backend.test:1", "_grpc._tcp.backend.test" };
        struct cast cast;

        (void)state;
        cast_begin(&cast, services, 1, NULL);
        for (unsigned i = 0; i < 2; i++) {
                cast_open(&cast, names[i], NULL);
                stage_call_ok(&cast.stage);
                assert_int_equal(stage_started(&cast.stage, 0), i + 1);
                assert_string_equal(cast.stage.channel->parts[0]->authority,
                        i == 0 ? "backend.test:1" : "backend.test");
                cast.stage.channel = quoit_channel_free(cast.stage.channel);
        }
        cast_end(&cast);
}

/* Nobody asks for what is not wanted. */
static void test_srv_is_off(void **state)
{
        static const unsigned services[][2] = { { 1, 1 } };
        struct cast cast;
        char target[128];

        (void)state;
        cast_begin(&cast, services, 1, NULL);
        snprintf(target, sizeof(target), "dns://127.0.0.1:%u/backend.test:%u", cast.names.port,
                cast.stage.servers[2].port);
        stage_open(&cast.stage, target);
        stage_call_ok(&cast.stage);
        assert_int_equal(stage_started(&cast.stage, 2), 1);
        assert_int_equal(cast.names.asked, 2);
        cast_end(&cast);
}

/* Without records the name itself has the addresses; a name of a service has none. */
static void test_srv_none(void **state)
{
        static const unsigned services[][2] = { { 1, 1 } };
        struct cast cast;
        struct told told = { 0 };
        char name[64];

        (void)state;
        cast_begin(&cast, services, 1, NULL);
        cast.rules[0].name = "elsewhere.test";
        snprintf(name, sizeof(name), "backend.test:%u", cast.stage.servers[2].port);
        cast_open(&cast, name, NULL);
        stage_call_ok(&cast.stage);
        assert_int_equal(stage_started(&cast.stage, 2), 1);
        quoit_channel_free(cast.stage.channel);
        cast_open(&cast, "_grpc._tcp.backend.test", NULL);
        told_call(&cast.stage, &told);
        assert_begins(told.text, "UNAVAILABLE: cannot resolve _grpc._tcp.backend.test: it has no "
                                 "SRV record; the next attempt is in ");
        cast_end(&cast);
}

/* A server that fails does not say that there are none: the name's own addresses may be others'. */
static void test_srv_fails(void **state)
{
        static const unsigned services[][2] = { { 1, 1 } };
        static const char *const problems[] = {
                "its SRV record says that nobody offers the service", "Misformatted "
        };
        struct cast cast;

        (void)state;
        cast_begin(&cast, services, 1, NULL);
        cast.services[0].host = ".";
        for (unsigned i = 0; i < 2; i++) {
                struct told told = { 0 };
                char expected[256];

                cast_open(&cast, "backend.test", NULL);
                told_call(&cast.stage, &told);
                snprintf(expected, sizeof(expected), "UNAVAILABLE: cannot resolve backend.test: %s",
                        problems[i]);
                assert_begins(told.text, expected);
                cast.stage.channel = quoit_channel_free(cast.stage.channel);
                cast.rules[0].act = NAME_TALKS_GARBAGE;
        }
        cast_end(&cast);
}

/* All of the best priority that has addresses, and the others where that does not serve. */
static void test_srv_priority(void **state)
{
        static const unsigned services[][2] = { { 5, 1 }, { 7, 100 }, { 5, 0 } };
        struct cast cast;

        (void)state;
        cast_begin(&cast, services, 3, NULL);
        cast_open(&cast, "backend.test", "round_robin");
        for (unsigned i = 0;
                stage_started(&cast.stage, 0) == 0 || stage_started(&cast.stage, 2) == 0; i++) {
                assert_true(i < 10000);
                stage_call_ok(&cast.stage);
        }
        assert_int_equal(stage_started(&cast.stage, 1), 0);
        quoit_channel_free(cast.stage.channel);
        cast.rules[1].name = cast.rules[3].name = "elsewhere.test";
        cast_open(&cast, "backend.test", "round_robin");
        stage_call_ok(&cast.stage);
        assert_int_equal(stage_started(&cast.stage, 1), 1);
        cast_end(&cast);
}

/* The better one has the calls again as soon as its server is back. */
static void test_srv_fails_over(void **state)
{
        static const unsigned services[][2] = { { 2, 1 }, { 1, 1 } };
        struct cast cast;
        uint16_t port;

        (void)state;
        cast_begin(&cast, services, 2,
                &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 50 });
        cast_open(&cast, "backend.test", NULL);
        stage_call_ok(&cast.stage);
        assert_int_equal(stage_started(&cast.stage, 1), 1);
        port = cast.stage.servers[1].port;
        stage_end_server(&cast.stage, 1);
        stage_call_ok(&cast.stage);
        assert_int_equal(stage_started(&cast.stage, 0), 1);
        stage_serve_at(&cast.stage, 1, "127.0.0.2", port, NULL);
        for (unsigned i = 0; stage_started(&cast.stage, 1) == 0; i++) {
                assert_true(i < 10000);
                stage_call_ok(&cast.stage);
                usleep(1000);
        }
        cast_end(&cast);
}

/* Until servers report, calls are by weight. */
static void test_srv_weights(void **state)
{
        static const unsigned services[][2] = { { 1, 30 }, { 1, 10 }, { 1, 20 } };
        static const char *const policies[] = { "weighted_round_robin", "ring_hash" };
        struct cast cast;

        (void)state;
        cast_begin(&cast, services, 3, NULL);
        for (unsigned p = 0; p < 2; p++) {
                size_t before[SERVERS];

                cast_open(&cast, "backend.test", policies[p]);
                for (unsigned i = 0; i < SERVERS; i++) {
                        size_t first = stage_started(&cast.stage, i);

                        for (unsigned calls = 0; stage_started(&cast.stage, i) == first; calls++) {
                                assert_true(calls < 10000);
                                stage_call_ok(&cast.stage);
                        }
                }
                for (unsigned i = 0; i < SERVERS; i++)
                        before[i] = stage_started(&cast.stage, i);
                for (unsigned i = 0; i < 600; i++)
                        stage_call_ok(&cast.stage);
                assert_in_range(stage_started(&cast.stage, 0) - before[0], 200, 400);
                assert_in_range(stage_started(&cast.stage, 1) - before[1], 40, 160);
                assert_in_range(stage_started(&cast.stage, 2) - before[2], 120, 280);
                cast.stage.channel = quoit_channel_free(cast.stage.channel);
        }
        cast_end(&cast);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_srv),
                cmocka_unit_test(test_srv_is_off),
                cmocka_unit_test(test_srv_none),
                cmocka_unit_test(test_srv_fails),
                cmocka_unit_test(test_srv_priority),
                cmocka_unit_test(test_srv_fails_over),
                cmocka_unit_test(test_srv_weights),
        };

        return RUN_ON_BOTH_ENGINES("client/resolver_srv", tests);
}
