/* SPDX-License-Identifier: MIT */

/* Service configs that a server of DNS has for a channel's name, and real calls by them. */

#include "stage.h"

#include <stdio.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/handle.h"
#include "name_server.h"

#define TXT_BYTES 400

struct play {
        struct stage stage;
        struct name_server names;
        char text
                [TXT_BYTES]; /* single quotes stand for double ones; the server reads it with each question */
        struct name_rule rules[3];
};

/* For a JSON list of choices. NULL: there is no record. */
static void publish(struct play *play, const char *choices)
{
        char text[TXT_BYTES];

        snprintf(text, sizeof(text), "grpc_config=%s", choices ? choices : "");
        for (char *c = text; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        memcpy(play->text, text, sizeof(text));
        play->rules[0].count = choices ? 1 : 0;
}

static atomic_uint refusals; /* that the log has heard of */

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        if (level == QUOIT_LOG_WARNING && strstr(line, "is refused, the one before it stays: "))
                refusals++;
}

static void begin(struct play *play, const char *choices, const quoit_client_limits *limits)
{
        static const quoit_client_limits none;

        *play = (struct play){ .rules = {
                                       { "_grpc_config.backend.test", NAME_TXT,
                                               .text = play->text },
                                       { "backend.test", NAME_A, .first = 1, .count = 2 },
                                       { .name = NULL },
                               } };
        publish(play, choices);
        name_server_start(&play->names, play->rules);
        refusals = 0;
        stage_init_with(&play->stage,
                (quoit_client_options){ .limits = limits ? *limits : none, .on_log = on_log });
        stage_serve(&play->stage, 0, 0, NULL);
        stage_serve_at(&play->stage, 1, "127.0.0.2", play->stage.servers[0].port, NULL);
}

static void open_name(struct play *play, const quoit_channel_options *options)
{
        quoit_channel_options own = options ? *options : (quoit_channel_options){ 0 };
        char target[128];

        own.looks_up_service_config = true;
        snprintf(target, sizeof(target), "dns://127.0.0.1:%u/backend.test:%u", play->names.port,
                play->stage.servers[0].port);
        stage_open_with(&play->stage, target, &own);
}

static void end(struct play *play)
{
        stage_deinit(&play->stage);
        name_server_stop(&play->names);
}

#define TIMEOUT "{'methodConfig': [{'name': [{}], 'timeout': '0.1s'}]}"
static const char own_timeout[] = "{\"methodConfig\": [{\"name\": [{}], \"timeout\": \"0.1s\"}]}";

/* A call that its server holds ends by the config's timeout. */
static void assert_times_out(struct play *play)
{
        struct told told = { .act = SCRIPT_HOLD };
        uint64_t began_ns = clock_ns();

        told_call(&play->stage, &told);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        assert_true(clock_ns() - began_ns >= 100 * MS);
}

/* Also for a call that begins before the config is there. */
static void test_is_used(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': " TIMEOUT "}]", NULL);
        open_name(&play, NULL);
        assert_times_out(&play);
        assert_times_out(&play);
        end(&play);
}

static void test_first_call_is_hedged(void **state)
{
        struct play play;
        struct told told = { .act = SCRIPT_HOLD };
        quoit_retry_statistics retries = { 0 };

        (void)state;
        begin(&play,
                "[{'serviceConfig': {'methodConfig': [{'name': [{}], 'hedgingPolicy': "
                "{'maxAttempts': 2, 'hedgingDelay': '0.01s'}}]}}]",
                NULL);
        open_name(&play, NULL);
        told.stage = &play.stage;
        stage_run(&play.stage, told_start, &told);
        WAIT((quoit_channel_get_retries(play.stage.channel, &retries), retries.hedged == 1));
        stage_run(&play.stage, told_cancel, &told);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        end(&play);
}

/* ---- interceptors ---- */

static quoit_outcall *held;
static unsigned attempts[4]; /* by kind */

static void keep(quoit_outcall *call, void *user)
{
        if (!user)
                return;
        quoit_outcall_hold(call);
        held = call;
}

static void count_attempt(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        attempts[attempt->kind]++;
}

static void let_go(quoit_outcall *call, void *arg)
{
        (void)arg;
        quoit_outcall_proceed(call);
}

struct known {
        struct play *play;
        bool is_known;
};

static void look(void *arg)
{
        struct known *known = arg;

        known->is_known = known->play->stage.channel->parts[0]->config_is_known;
}

/* Attempts begin once the config is known, also of a call whose start is held meanwhile. */
static void test_attempts(void **state)
{
        static const quoit_client_interceptor interceptor = { .on_start = keep,
                .on_attempt = count_attempt };

        (void)state;
        for (unsigned is_held = 0; is_held < 2; is_held++) {
                struct play play;
                struct told told = { .act = SCRIPT_HOLD, .stage = &play.stage };
                struct known known = { .play = &play };
                quoit_retry_statistics retries = { 0 };

                memset(attempts, 0, sizeof(attempts));
                begin(&play,
                        "[{'serviceConfig': {'methodConfig': [{'name': [{}], 'hedgingPolicy': "
                        "{'maxAttempts': 2, 'hedgingDelay': '0.01s'}}]}}]",
                        NULL);
                open_name(&play, NULL);
                assert_int_equal(quoit_channel_intercept(
                                         play.stage.channel, &interceptor, is_held ? &play : NULL),
                        0);
                stage_run(&play.stage, told_start, &told);
                if (is_held) {
                        WAIT((stage_run(&play.stage, look, &known), known.is_known));
                        assert_int_equal(quoit_outcall_post(held, let_go, NULL), 0);
                }
                WAIT((quoit_channel_get_retries(play.stage.channel, &retries),
                        retries.hedged == 1));
                stage_run(&play.stage, told_cancel, &told);
                told_wait(&told);
                end(&play);
                assert_int_equal(attempts[QUOIT_ATTEMPT_FIRST], 1);
                assert_int_equal(attempts[QUOIT_ATTEMPT_HEDGE], 1);
        }
}

static void test_first_call_is_retried(void **state)
{
        struct play play;
        struct told told = { .act = SCRIPT_FAIL };
        quoit_retry_statistics retries;

        (void)state;
        begin(&play,
                "[{'serviceConfig': {'methodConfig': [{'name': [{}], 'retryPolicy': "
                "{'maxAttempts': 3, 'initialBackoff': '0.01s', 'maxBackoff': '0.01s', "
                "'backoffMultiplier': 1, 'retryableStatusCodes': ['NOT_FOUND']}}]}}]",
                NULL);
        open_name(&play, NULL);
        told_call(&play.stage, &told);
        quoit_channel_get_retries(play.stage.channel, &retries);
        assert_int_equal(retries.retries, 2);
        end(&play);
}

static void test_is_off(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': {'methodConfig': 3}}]", NULL);
        open_name(&play, NULL);
        quoit_channel_free(play.stage.channel);
        {
                char target[128];

                snprintf(target, sizeof(target), "dns://127.0.0.1:%u/backend.test:%u",
                        play.names.port, play.stage.servers[0].port);
                stage_open(&play.stage, target);
        }
        stage_call_ok(&play.stage);
        assert_int_equal(play.names.asked, 2);
        end(&play);
}

/* The program's is used where the name has none, or none for this client. */
static void test_default(void **state)
{
        static const char *const choices[] = { NULL, "[]",
                "[{'clientLanguage': ['go'], 'serviceConfig': {}}]" };
        struct play play;

        (void)state;
        begin(&play, NULL, NULL);
        for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
                publish(&play, choices[i]);
                open_name(&play, &(quoit_channel_options){ .service_config = own_timeout });
                assert_times_out(&play);
                play.stage.channel = quoit_channel_free(play.stage.channel);
        }
        publish(&play, "[{'serviceConfig': {}}]"); /* which says nothing about timeouts */
        open_name(&play, &(quoit_channel_options){ .service_config = own_timeout });
        {
                struct told told = { .stage = &play.stage, .act = SCRIPT_HOLD };

                stage_run(&play.stage, told_start, &told);
                usleep(200000);
                assert_int_equal(told.dones, 0);
                stage_run(&play.stage, told_cancel, &told);
                told_wait(&told);
        }
        end(&play);
}

/* Without one before it, the name counts as not found; until it is good. */
static void test_bad_at_first(void **state)
{
        static const char expected[] =
                "UNAVAILABLE: cannot resolve backend.test: its service config: "
                "[0].serviceConfig.methodConfig: an array is wanted; ";
        struct play play;
        struct told told = { 0 };

        (void)state;
        begin(&play, "[{'serviceConfig': {'methodConfig': 3}}]",
                &(quoit_client_limits){ .backoff_initial_ms = 50, .backoff_max_ms = 50 });
        open_name(&play, &(quoit_channel_options){ .service_config = own_timeout });
        told_call(&play.stage, &told);
        assert_begins(told.text, expected);
        assert_int_equal(
                quoit_channel_get_state(play.stage.channel), QUOIT_CHANNEL_TRANSIENT_FAILURE);
        publish(&play, "[{'serviceConfig': {}}]");
        WAIT(quoit_channel_get_state(play.stage.channel) == QUOIT_CHANNEL_READY);
        stage_call_ok(&play.stage);
        end(&play);
}

#define OFTEN &(quoit_client_limits){ .resolution_period_ms = 20 }

/* Two more lookups have ended. */
static void wait_lookups(struct play *play)
{
        unsigned asked = play->names.asked;

        WAIT(play->names.asked >= asked + 9);
}

/* The one before stays, but for addresses, which are taken. */
static void test_bad_later(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': " TIMEOUT "}]", OFTEN);
        play.rules[1].count = 1;
        open_name(&play, NULL);
        assert_times_out(&play);
        publish(&play, "[{'serviceConfig': {'methodConfig': 3}}]");
        wait_lookups(&play);
        assert_times_out(&play);
        play.rules[1].first = 2;
        for (unsigned i = 0; stage_started(&play.stage, 1) == 0; i++) {
                assert_true(i < 1000);
                stage_call_ok(&play.stage);
                usleep(2000);
        }
        end(&play);
}

/* The log hears of a bad one once, until there is another. */
static void test_bad_is_told_once(void **state)
{
        static const char *const choices[] = { "[{'serviceConfig': {'methodConfig': 3}}]",
                "[{'serviceConfig': {'methodConfig': 4}}]", "[{'serviceConfig': " TIMEOUT "}]",
                "[{'serviceConfig': {'methodConfig': 4}}]" };
        static const unsigned expected[] = { 1, 2, 2, 3 };
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': " TIMEOUT "}]", OFTEN);
        open_name(&play, NULL);
        assert_times_out(&play);
        for (unsigned i = 0; i < 4; i++) {
                publish(&play, choices[i]);
                for (unsigned j = 0; j < 3; j++)
                        wait_lookups(&play);
                assert_int_equal(refusals, expected[i]);
        }
        end(&play);
}

/* Another policy begins with connections of its own, and no call fails. */
static void test_policy_changes(void **state)
{
        static const char *const policies[] = {
                "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}]}}]",
                "[{'serviceConfig': {'loadBalancingConfig': [{'pick_first': {}}]}}]",
                "[{'serviceConfig': {'loadBalancingConfig': [{'ring_hash': {}}]}}]",
        };
        static const char *const names[] = { "round_robin", "pick_first",
                "ring_hash_experimental" };
        struct play play;

        (void)state;
        begin(&play, NULL, OFTEN);
        open_name(&play, NULL);
        stage_call_ok(&play.stage);
        for (unsigned i = 0; i < 3; i++) {
                const struct channel *channel = play.stage.channel->parts[0];

                publish(&play, policies[i]);
                while (strcmp(channel->tier->balancer->policy->name, names[i]) != 0)
                        stage_calls_ok(&play.stage);
                for (unsigned calls = 0; i == 0 && stage_started(&play.stage, 1) == 0; calls++) {
                        assert_true(calls < 1000);
                        stage_call_ok(&play.stage);
                        usleep(1000);
                }
                stage_calls_ok(&play.stage);
        }
        end(&play);
}

/* What the program says about balancing stays. */
static void test_own_policy_stays(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}]}}]", NULL);
        open_name(&play, &(quoit_channel_options){ .load_balancing = &(quoit_load_balancing){
                                                           .policy = "pick_first" } });
        for (unsigned i = 0; i < 20; i++)
                stage_call_ok(&play.stage);
        assert_int_equal(stage_started(&play.stage, 1), 0);
        end(&play);
}

/* The service whose health is asked for is another: servers without grpc.health.v1.Health are as good. */
static void test_health_check_changes(void **state)
{
        struct play play;

        (void)state;
        begin(&play, NULL, OFTEN);
        for (unsigned i = 0; i < 3; i++) {
                static const char *const choices[] = {
                        "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}], "
                        "'healthCheckConfig': {'serviceName': 'a'}}}]",
                        "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}], "
                        "'healthCheckConfig': {'serviceName': 'b'}}}]",
                        "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}]}}]",
                };

                publish(&play, choices[i]);
                if (i == 0)
                        open_name(&play, NULL);
                stage_call_ok(&play.stage);
                wait_lookups(&play);
                for (unsigned calls = 0; calls < 10; calls++)
                        stage_call_ok(&play.stage);
        }
        end(&play);
}

/* Its server is silent: calls wait for 250 ms, and go by the program's. */
static void test_silence(void **state)
{
        struct play play;
        uint64_t began_ns;

        (void)state;
        begin(&play, NULL, NULL);
        play.rules[0].act = NAME_IS_SILENT;
        open_name(&play, &(quoit_channel_options){ .service_config = own_timeout });
        began_ns = clock_ns();
        assert_times_out(&play);
        assert_true(clock_ns() - began_ns >= 350 * MS);
        end(&play);
}

/* What comes later is used then, though a bad one would not. */
static void test_late(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': {'loadBalancingConfig': [{'round_robin': {}}]}}]", NULL);
        play.rules[0].late_ms = 400;
        open_name(&play, NULL);
        stage_call_ok(&play.stage);
        for (unsigned i = 0; stage_started(&play.stage, 1) == 0; i++) {
                assert_true(i < 10000);
                stage_call_ok(&play.stage);
                usleep(1000);
        }
        end(&play);
}

/* A server that fails leaves the one before. */
static void test_failure(void **state)
{
        struct play play;

        (void)state;
        begin(&play, "[{'serviceConfig': " TIMEOUT "}]", OFTEN);
        open_name(&play, NULL);
        assert_times_out(&play);
        play.rules[0].act = NAME_TALKS_GARBAGE;
        wait_lookups(&play);
        assert_times_out(&play);
        play.rules[0].act = NAME_ANSWERS;
        publish(&play, NULL); /* there is none any more */
        wait_lookups(&play);
        {
                struct told told = { .stage = &play.stage, .act = SCRIPT_HOLD };

                stage_run(&play.stage, told_start, &told);
                usleep(200000);
                assert_int_equal(told.dones, 0);
                stage_run(&play.stage, told_cancel, &told);
                told_wait(&told);
        }
        end(&play);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_is_used),
                cmocka_unit_test(test_first_call_is_hedged),
                cmocka_unit_test(test_attempts),
                cmocka_unit_test(test_first_call_is_retried),
                cmocka_unit_test(test_is_off),
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_bad_at_first),
                cmocka_unit_test(test_bad_later),
                cmocka_unit_test(test_bad_is_told_once),
                cmocka_unit_test(test_policy_changes),
                cmocka_unit_test(test_own_policy_stays),
                cmocka_unit_test(test_health_check_changes),
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_late),
                cmocka_unit_test(test_failure),
        };

        return RUN_ON_BOTH_ENGINES("client/config_lookup", tests);
}
