/* SPDX-License-Identifier: MIT */

/* The client's log: what is said of servers that come and go and of the program's mistakes, and that each thing is said once. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <quoit/health.h>

#define LINES_MAX 200

struct heard {
        pthread_mutex_t mutex;
        unsigned count;
        struct {
                quoit_log_level level;
                char text[512];
        } lines[LINES_MAX];
};

static struct heard heard = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void on_log(void *user, quoit_log_level level, const char *line)
{
        assert_ptr_equal(user, &heard);
        assert_null(strchr(line, '\n'));
        pthread_mutex_lock(&heard.mutex);
        assert_true(heard.count < LINES_MAX);
        heard.lines[heard.count].level = level;
        snprintf(heard.lines[heard.count].text, sizeof(heard.lines->text), "%s", line);
        heard.count++;
        pthread_mutex_unlock(&heard.mutex);
}

/* How many lines of @level have @part. */
static unsigned count_of(quoit_log_level level, const char *part)
{
        unsigned count = 0;

        pthread_mutex_lock(&heard.mutex);
        for (unsigned i = 0; i < heard.count; i++)
                count += heard.lines[i].level == level && strstr(heard.lines[i].text, part);
        pthread_mutex_unlock(&heard.mutex);
        return count;
}

static unsigned count_of_level(quoit_log_level level)
{
        return count_of(level, "");
}

static void begin(struct stage *stage, quoit_client_limits limits)
{
        heard.count = 0;
        stage_init_with(stage,
                (quoit_client_options){ .limits = limits, .on_log = on_log, .log_user = &heard });
}

/* ---- servers ---- */

static unsigned attempts(struct stage *stage)
{
        struct told told = { .stage = stage };

        told_call(stage, &told);
        return told.status == QUOIT_UNAVAILABLE;
}

/* It works, leaves, is missing for many attempts, and is there again. */
static void test_a_server_that_is_away(void **state)
{
        struct stage stage;
        char text[256];
        uint16_t port;

        (void)state;
        begin(&stage, (quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 20 });
        stage_serve(&stage, 0, 0, NULL);
        port = stage.servers[0].port;
        stage_open(&stage, stage.servers[0].target);
        stage_call_ok(&stage);
        snprintf(text, sizeof(text), "127.0.0.1:%u: ipv4:127.0.0.1:%u: connected", port, port);
        assert_int_equal(count_of(QUOIT_LOG_DEBUG, text), 1);
        stage_end_server(&stage, 0);
        snprintf(text, sizeof(text),
                "127.0.0.1:%u: ipv4:127.0.0.1:%u: the connection ends: the server sent GOAWAY "
                "(NO_ERROR",
                port, port);
        WAIT(count_of(QUOIT_LOG_DEBUG, text) == 1);
        assert_int_equal(attempts(&stage), 1);
        snprintf(text, sizeof(text),
                "127.0.0.1:%u: ipv4:127.0.0.1:%u: cannot connect: connect: Connection refused "
                "(ECONNREFUSED); the next attempt is in 0.0 s",
                port, port);
        WAIT(count_of(QUOIT_LOG_WARNING, text) == 1);
        usleep(300000); /* attempts that fail as the first one did */
        assert_int_equal(count_of_level(QUOIT_LOG_WARNING), 1);
        assert_int_equal(count_of_level(QUOIT_LOG_INFO), 0);
        stage_serve(&stage, 0, port, NULL);
        WAIT(count_of(QUOIT_LOG_INFO, "connected again") == 1);
        stage_call_ok(&stage);
        assert_int_equal(count_of_level(QUOIT_LOG_WARNING), 1);
        assert_int_equal(count_of_level(QUOIT_LOG_ERROR), 0);
        stage_deinit(&stage);
}

/* Its PINGs come too often for the server: the next connection sends fewer. */
static void test_too_many_pings(void **state)
{
        struct stage stage;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        begin(&stage, (quoit_client_limits){ .keepalive_ms = 20 });
        stage_serve(&stage, 0, 0, NULL);
        stage_open(&stage, stage.servers[0].target);
        stage_run(&stage, told_start, &told);
        WAIT(count_of(QUOIT_LOG_WARNING, "too_many_pings); keepalive_ms is 40 now") == 1);
        told_wait(&told);
        told = (struct told){ .act = SCRIPT_HOLD, .stage = &stage };
        stage_run(&stage, told_start, &told);
        WAIT(count_of(QUOIT_LOG_WARNING, "too_many_pings); keepalive_ms is 80 now") == 1);
        told_wait(&told);
        stage_deinit(&stage);
}

static void test_idle(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, (quoit_client_limits){ .idle_ms = 50 });
        stage_serve(&stage, 0, 0, NULL);
        stage_open(&stage, stage.servers[0].target);
        stage_call_ok(&stage);
        WAIT(count_of(QUOIT_LOG_DEBUG, "the connection ends: it had no calls for long (idle_ms)") ==
                1);
        assert_int_equal(count_of_level(QUOIT_LOG_INFO), 0);
        stage_deinit(&stage);
}

/* The lines are limited, and others are not in the way. */
static void test_rate(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, (quoit_client_limits){ .idle_ms = 1, .log_lines_per_second = 1 });
        stage_serve(&stage, 0, 0, NULL);
        stage_open(&stage, stage.servers[0].target);
        for (unsigned i = 0; i < 40; i++) {
                stage_call_ok(&stage);
                WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        }
        assert_in_range(count_of_level(QUOIT_LOG_DEBUG), 10, 79); /* of 80 */
        assert_int_equal(count_of_level(QUOIT_LOG_WARNING), 0);
        stage_deinit(&stage);
}

/* ---- the program's mistakes ---- */

/* From another thread than the call's. */
static void misuse(struct stage *stage, quoit_outcall *call)
{
        assert_int_equal(quoit_outcall_send(call, NULL), -EPERM);
        quoit_outcall_cancel(call);
        assert_int_equal(quoit_outcall_start(stage->channel, script_method(QUOIT_UNARY), NULL,
                                 &told_handler, NULL, NULL),
                -EPERM);
        assert_int_equal(quoit_channel_watch(stage->channel, NULL, NULL), -EPERM);
}

static void test_wrong_thread(void **state)
{
        struct stage stage;
        struct told told = { .stage = &stage, .kind = QUOIT_BIDI, .keeps_open = true };

        (void)state;
        begin(&stage, (quoit_client_limits){ 0 });
        stage_serve(&stage, 0, 0, NULL);
        stage_open(&stage, stage.servers[0].target);
        stage_run(&stage, told_start, &told);
        for (unsigned i = 0; i < 3; i++)
                misuse(&stage, told.call);
        assert_int_equal(count_of(QUOIT_LOG_ERROR,
                                 "quoit_outcall_send() did nothing: it was called on a thread"),
                1);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "quoit_outcall_cancel()"), 1);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "quoit_outcall_start()"), 1);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "quoit_channel_watch()"), 1);
        assert_int_equal(count_of_level(QUOIT_LOG_ERROR), 4);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, script_method(QUOIT_BIDI)->path), 2);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        stage_deinit(&stage);
}

static void free_here(void *arg)
{
        struct stage *stage = arg;

        assert_ptr_equal(quoit_client_free(stage->client), stage->client);
}

static void test_free_here(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, (quoit_client_limits){ 0 });
        stage_run(&stage, free_here, &stage);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "quoit_client_free() did nothing"), 1);
        stage_deinit(&stage);
}

static void linger(void *arg)
{
        (void)arg;
        usleep(200000);
}

static void linger_in_call(quoit_outcall *call, quoit_status status, void *user)
{
        (void)call;
        (void)status;
        (void)user;
        usleep(200000);
}

static void start_slow(void *arg)
{
        static const quoit_outcall_handler slow = { .on_done = linger_in_call };
        struct told *told = arg;
        upb_Arena *arena = upb_Arena_New();

        assert_int_equal(quoit_outcall_start(told->stage->channel, script_method(QUOIT_UNARY), NULL,
                                 &slow, NULL, &told->call),
                0);
        assert_int_equal(quoit_outcall_send(told->call, UPB_UPCAST(script_Ask_new(arena))), 0);
        upb_Arena_Free(arena);
}

static void test_slow(void **state)
{
        struct stage stage;
        struct told told = { .stage = &stage };

        (void)state;
        begin(&stage, (quoit_client_limits){ 0 });
        stage_serve(&stage, 0, 0, NULL);
        stage_open(&stage, stage.servers[0].target);
        stage_run(&stage, linger, NULL);
        stage_run(&stage, start_slow, &told);
        WAIT(count_of(QUOIT_LOG_WARNING, "on_done kept the client's ring") == 1);
        assert_int_equal(count_of(QUOIT_LOG_WARNING, script_method(QUOIT_UNARY)->path), 1);
        assert_int_equal(count_of(QUOIT_LOG_WARNING, "the client: a posted function kept"), 1);
        stage_deinit(&stage);
}

static void add_health(quoit_server *server)
{
        assert_int_equal(quoit_health_register(server, NULL), 0);
}

/* Calls do not wait for ever behind a Watch that has the only stream. */
static void test_the_only_stream(void **state)
{
        static const char *const policies[] = { "round_robin", "ring_hash_experimental" };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct stage stage;
                char config[200];

                snprintf(config, sizeof(config),
                        "{\"loadBalancingConfig\": [{\"%s\": {}}], "
                        "\"healthCheckConfig\": {\"serviceName\": \"\"}}",
                        policies[i]);
                begin(&stage, (quoit_client_limits){ 0 });
                stage.on_server = add_health;
                stage_serve(&stage, 0, 0, &(quoit_limits){ .streams_max = 1 });
                stage_open_with(&stage, stage.servers[0].target,
                        &(quoit_channel_options){ .service_config = config });
                for (unsigned calls = 0; calls < 3; calls++)
                        stage_calls_ok(&stage);
                assert_int_equal(count_of(QUOIT_LOG_WARNING, "its health check ends, as calls "
                                                             "wait: "),
                        1);
                stage_deinit(&stage);
        }
}

static void test_bad_channels(void **state)
{
        const quoit_channel_tls tls = { .ca_file = "/no/such/file" };
        struct stage stage;

        (void)state;
        begin(&stage, (quoit_client_limits){ 0 });
        assert_int_equal(
                quoit_channel_new(stage.client, "no\nport:", NULL, &stage.channel), -EINVAL);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "target \"no?port:\": "), 1);
        assert_int_equal(
                quoit_channel_new(stage.client, "127.0.0.1:1",
                        &(quoit_channel_options){ .service_config = "{\"x\":" }, &stage.channel),
                -EINVAL);
        assert_int_equal(
                count_of(QUOIT_LOG_ERROR, "127.0.0.1:1: the service config is refused: "), 1);
        assert_int_equal(quoit_channel_new(stage.client, "127.0.0.1:1",
                                 &(quoit_channel_options){ .authority = "" }, &stage.channel),
                -EINVAL);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "127.0.0.1:1: authority"), 1);
        assert_int_equal(quoit_channel_new(stage.client, "127.0.0.1:1",
                                 &(quoit_channel_options){ .tls = &tls }, &stage.channel),
                -ENOENT);
        assert_int_equal(count_of(QUOIT_LOG_ERROR, "/no/such/file"), 1);
        assert_int_equal(count_of_level(QUOIT_LOG_ERROR), 4);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_server_that_is_away),
                cmocka_unit_test(test_too_many_pings),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_wrong_thread),
                cmocka_unit_test(test_free_here),
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_the_only_stream),
                cmocka_unit_test(test_bad_channels),
        };

        return RUN_ON_BOTH_ENGINES("client/note", tests);
}
