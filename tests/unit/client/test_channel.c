/* SPDX-License-Identifier: MIT */

/* Connections: when they are made, what becomes of calls meanwhile, and what callers are told. */

#include "stage.h"

#include <stdio.h>
#include <sys/socket.h>

#include "client/channel.h"
#include "client/handle.h"

/* ---- states ---- */

struct watched {
        struct stage *stage;
        quoit_channel *channel;
        quoit_channel_state states[32];
        atomic_uint count;
};

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        struct watched *watched = user;

        assert_ptr_equal(channel, watched->channel);
        assert_true(watched->count < 32);
        watched->states[watched->count] = state;
        watched->count++;
}

static void watch(void *arg)
{
        struct watched *watched = arg;

        watched->channel = watched->stage->channel;
        assert_int_equal(quoit_channel_watch(watched->channel, on_state, watched), 0);
}

static void assert_states(const struct watched *watched, const char *names)
{
        char seen[512] = "";

        for (unsigned i = 0; i < watched->count; i++)
                strcat(strcat(seen, i > 0 ? " " : ""),
                        quoit_channel_state_name(watched->states[i]));
        assert_string_equal(seen, names);
}

static void test_lazy(void **state)
{
        struct stage stage;
        struct watched watched = { .stage = &stage };
        struct told told = { 0 };

        (void)state;
        stage_begin(&stage);
        stage_run(&stage, watch, &watched);
        usleep(50000);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_IDLE);
        assert_states(&watched, "");
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_states(&watched, "CONNECTING READY");
        quoit_channel_free(stage.channel);
        WAIT(watched.count == 3);
        assert_states(&watched, "CONNECTING READY SHUTDOWN");
        stage.channel = NULL;
        stage_deinit(&stage);
}

static void test_connect(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_READY);
        stage_deinit(&stage);
}

/* ---- failures ---- */

static void test_fail_fast(void **state)
{
        struct stage stage;
        struct told told = { 0 };
        char target[64], expected[256];
        uint16_t ports[2];
        int fds[2] = { stage_bound_socket(ports), stage_bound_socket(ports + 1) };

        (void)state;
        stage_init(&stage, NULL);
        snprintf(target, sizeof(target), "ipv4:127.0.0.1:%u,127.0.0.1:%u", ports[0], ports[1]);
        stage_open(&stage, target);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        snprintf(expected, sizeof(expected),
                "UNAVAILABLE: ipv4:127.0.0.1:%u: connect: Connection refused (ECONNREFUSED); "
                "ipv4:127.0.0.1:%u: connect: Connection refused (ECONNREFUSED); the next attempt "
                "is in ",
                ports[0], ports[1]);
        assert_memory_equal(told.text, expected, strlen(expected));
        told = (struct told){ 0 };
        told_call(&stage, &told); /* without an attempt of its own */
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_TRANSIENT_FAILURE);
        stage_deinit(&stage);
        close(fds[0]);
        close(fds[1]);
}

/* It waits through failed attempts until there is a server. */
static void test_wait_for_ready(void **state)
{
        struct stage stage;
        struct watched watched = { .stage = &stage };
        const quoit_call_options options = { .wait_for_ready = QUOIT_WAIT_FOR_READY };
        const quoit_call_options short_options = { .wait_for_ready = QUOIT_WAIT_FOR_READY,
                .timeout_ms = 30 };
        struct told told = { .options = &options }, late = { .options = &short_options };
        char target[32];
        uint16_t port;
        int fd = stage_bound_socket(&port);

        (void)state;
        stage_init(
                &stage, &(quoit_client_limits){ .backoff_initial_ms = 50, .backoff_max_ms = 100 });
        snprintf(target, sizeof(target), "127.0.0.1:%u", port);
        stage_open(&stage, target);
        stage_run(&stage, watch, &watched);
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_TRANSIENT_FAILURE);
        told_call(&stage, &late);
        assert_int_equal(late.status, QUOIT_DEADLINE_EXCEEDED);
        assert_non_null(strstr(late.text, "ECONNREFUSED"));
        assert_int_equal(told.dones, 0);
        close(fd);
        stage_serve(&stage, 0, port, NULL);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        assert_states(&watched, "CONNECTING TRANSIENT_FAILURE READY");
        stage_deinit(&stage);
}

/* Asked to connect before there is a call, it goes on trying. */
static void test_connect_goes_on(void **state)
{
        struct stage stage;
        struct watched watched = { .stage = &stage };
        char target[32];
        uint16_t port;
        int fd = stage_bound_socket(&port);

        (void)state;
        stage_init(
                &stage, &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 20 });
        snprintf(target, sizeof(target), "127.0.0.1:%u", port);
        stage_open(&stage, target);
        stage_run(&stage, watch, &watched);
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_TRANSIENT_FAILURE);
        usleep(100000); /* several attempts */
        close(fd);
        stage_serve(&stage, 0, port, NULL);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_READY);
        assert_states(&watched, "CONNECTING TRANSIENT_FAILURE READY");
        stage_deinit(&stage);
}

/* ---- names ---- */

/* "localhost" has an address of IPv6 too on most machines, where nobody listens. */
static void test_name(void **state)
{
        struct stage stage;
        struct told told = { 0 };
        char target[64];

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, NULL);
        snprintf(target, sizeof(target), "dns:///localhost:%u", stage.servers[0].port);
        stage_open(&stage, target);
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        stage_deinit(&stage);
}

static void test_no_name_server(void **state)
{
        static const char expected[] = "UNAVAILABLE: cannot resolve backend.invalid: ";
        struct stage stage;
        struct told told = { 0 };

        (void)state;
        stage_init(
                &stage, &(quoit_client_limits){ .backoff_initial_ms = 10, .backoff_max_ms = 20 });
        stage_open(&stage, "dns://127.0.0.1:1/backend.invalid:50051");
        for (unsigned i = 0; i < 3; i++) {
                told = (struct told){ 0 };
                told_call(&stage, &told);
                assert_memory_equal(told.text, expected, sizeof(expected) - 1);
                usleep(30000); /* a further lookup */
        }
        stage_deinit(&stage);
}

/* A channel is freed while its name is being looked up. */
static void test_free_amid_lookup(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 10; i++) {
                struct stage stage;
                struct told told = { .stage = &stage };

                stage_init(&stage, NULL);
                stage_open(&stage, "localhost:1");
                stage_run(&stage, told_start, &told);
                usleep(i * 100);
                stage_deinit(&stage);
                assert_int_equal(told.dones, 1);
        }
}

/* ---- several addresses ---- */

static void test_second_address(void **state)
{
        struct stage stage;
        struct told told = { 0 };
        char target[80];
        uint16_t port;
        int fd = stage_bound_socket(&port);

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, NULL);
        snprintf(target, sizeof(target), "ipv4:127.0.0.1:%u,127.0.0.1:%u", port,
                stage.servers[0].port);
        stage_open(&stage, target);
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        stage_deinit(&stage);
        close(fd);
}

/* An address that accepts and stays silent costs `attempt_delay_ms`, not `connect_ms`. */
static void test_silent_address(void **state)
{
        struct stage stage;
        struct told told = { 0 };
        char target[80];
        uint16_t port;
        uint64_t began_ns;
        int fd = stage_bound_socket(&port);

        (void)state;
        assert_int_equal(listen(fd, 5), 0);
        stage_init(&stage, &(quoit_client_limits){ .attempt_delay_ms = 100 });
        stage_serve(&stage, 0, 0, NULL);
        snprintf(target, sizeof(target), "ipv4:127.0.0.1:%u,127.0.0.1:%u", port,
                stage.servers[0].port);
        stage_open(&stage, target);
        began_ns = clock_ns();
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_true(clock_ns() - began_ns >= 100 * MS);
        assert_true(clock_ns() - began_ns < 5 * SECOND);
        stage_deinit(&stage);
        close(fd);
}

/* The next one is taken when the server of the first is gone. */
static void test_failover(void **state)
{
        struct stage stage;
        char target[80];

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, NULL);
        stage_serve(&stage, 1, 0, NULL);
        snprintf(target, sizeof(target), "ipv4:127.0.0.1:%u,127.0.0.1:%u", stage.servers[0].port,
                stage.servers[1].port);
        stage_open(&stage, target);
        for (unsigned i = 0; i < 20; i++) {
                struct told told = { 0 };

                if (i == 10)
                        stage_end_server(&stage, 0);
                told_call(&stage, &told);
                assert_string_equal(told.text, "OK");
        }
        assert_int_equal(stage.servers[1].script.started, 10);
        stage_deinit(&stage);
}

/* ---- GOAWAY ---- */

/* A server whose connections live for a moment: no call notices. */
static void test_short_lives(void **state)
{
        struct stage stage;
        const quoit_limits limits = { .connection_age_ms = 30, .connection_age_grace_ms = 5000 };
        uint64_t end_ns = clock_ns() + 2 * SECOND;
        unsigned calls = 0;

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, &limits);
        stage_open(&stage, stage.servers[0].target);
        while (clock_ns() < end_ns) {
                stage_calls_ok(&stage);
                calls += STAGE_CALLS_AT_ONCE;
        }
        assert_true(calls > 100);
        stage_deinit(&stage);
}

/* Without calls the connection ends, and the next call makes another. */
static void test_idle(void **state)
{
        struct stage stage;
        struct watched watched = { .stage = &stage };

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .limits.idle_ms = 50 });
        stage_run(&stage, watch, &watched);
        for (unsigned i = 0; i < 2; i++) {
                struct told told = { 0 };

                told_call(&stage, &told);
                assert_string_equal(told.text, "OK");
                WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        }
        WAIT(watched.count == 6);
        assert_states(&watched, "CONNECTING READY IDLE CONNECTING READY IDLE");
        stage_deinit(&stage);
}

#define FLAPS 100

struct told_states {
        struct stage *stage;
        quoit_channel_state next; /* that is expected */
        atomic_uint count;
};

/* As many changes as may be in one turn. */
static void flap(void *arg)
{
        struct channel *part = channel_part_here(((struct stage *)arg)->channel);

        for (unsigned i = 0; i < FLAPS; i++) {
                channel_set_state(part, QUOIT_CHANNEL_CONNECTING);
                channel_set_state(part, QUOIT_CHANNEL_IDLE);
        }
}

static void count_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        struct told_states *told = user;

        (void)channel;
        if (told->count < 2 * FLAPS)
                assert_int_equal(state, told->next);
        else
                assert_int_equal(state, QUOIT_CHANNEL_SHUTDOWN);
        told->next =
                told->next == QUOIT_CHANNEL_IDLE ? QUOIT_CHANNEL_CONNECTING : QUOIT_CHANNEL_IDLE;
        told->count++;
}

static void watch_count(void *arg)
{
        struct told_states *told = arg;

        assert_int_equal(quoit_channel_watch(told->stage->channel, count_state, told), 0);
}

/* The watch hears of each, and of the end. */
static void test_many_changes(void **state)
{
        struct stage stage;
        struct told_states told = { .stage = &stage, .next = QUOIT_CHANNEL_CONNECTING };

        (void)state;
        stage_begin(&stage);
        stage_run(&stage, flap, &stage); /* nobody watches */
        stage_run(&stage, watch_count, &told);
        stage_run(&stage, flap, &stage);
        WAIT(told.count == 2 * FLAPS);
        stage.channel = quoit_channel_free(stage.channel);
        WAIT(told.count == 2 * FLAPS + 1);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lazy),
                cmocka_unit_test(test_connect),
                cmocka_unit_test(test_fail_fast),
                cmocka_unit_test(test_wait_for_ready),
                cmocka_unit_test(test_connect_goes_on),
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_no_name_server),
                cmocka_unit_test(test_free_amid_lookup),
                cmocka_unit_test(test_second_address),
                cmocka_unit_test(test_silent_address),
                cmocka_unit_test(test_failover),
                cmocka_unit_test(test_short_lives),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_many_changes),
        };

        return RUN_ON_BOTH_ENGINES("client/channel", tests);
}
