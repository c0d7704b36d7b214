/* SPDX-License-Identifier: MIT */

/* Channels whose names a server of DNS of the test's own has, with real servers behind them. */

#include "clock.h"

#include <stdio.h>

#include "name_server.h"

/* ---- what stands on the stage ---- */

static void open_name(struct stage *stage, const struct name_server *names, const char *name)
{
        char target[128];

        snprintf(target, sizeof(target), "dns://127.0.0.1:%u/%s:%u", names->port, name,
                stage->servers[0].port);
        stage_open(stage, target);
}

static void begin(struct stage *stage, struct name_server *names, const struct name_rule *rules,
        const quoit_client_limits *limits)
{
        name_server_start(names, rules);
        stage_init(stage, limits);
        stage_serve(stage, 0, 0, NULL);
}

static void end(struct stage *stage, struct name_server *names)
{
        stage_deinit(stage);
        name_server_stop(names);
        clock_restore();
}

static uint64_t free_client(struct stage *stage)
{
        uint64_t began_ns = clock_ns();

        stage->channel = quoit_channel_free(stage->channel);
        stage->client = quoit_client_free(stage->client);
        return clock_ns() - began_ns;
}

/* ---- families ---- */

static void test_both(void **state)
{
        static const struct name_rule rules[] = {
                { .name = "backend.test", .first = 1, .count = 1 },
                { .name = NULL },
        };
        struct stage stage;
        struct name_server names;
        struct told told = { 0 };

        (void)state;
        begin(&stage, &names, rules, NULL);
        open_name(&stage, &names, "backend.test"); /* nobody listens on ::1 */
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(names.asked, 2);
        end(&stage, &names);
}

/* A family that never answers costs 250 ms, and the lookup's end finds nothing new. */
static void test_one_is_silent(void **state)
{
        static const struct name_rule rules[] = {
                { .name = "backend.test", .type = NAME_AAAA, .act = NAME_IS_SILENT },
                { .name = "backend.test", .first = 1, .count = 1 },
                { .name = NULL },
        };
        struct stage stage;
        struct name_server names;
        struct told told = { 0 }, later = { 0 };
        uint64_t began_ns, took_ns;

        (void)state;
        begin(&stage, &names, rules, &(quoit_client_limits){ .resolution_ms = 400 });
        open_name(&stage, &names, "backend.test");
        began_ns = clock_ns();
        told_call(&stage, &told);
        took_ns = clock_ns() - began_ns;
        assert_string_equal(told.text, "OK");
        assert_true(took_ns >= 250 * MS);
        usleep(300000); /* over the limit */
        told_call(&stage, &later);
        assert_string_equal(later.text, "OK");
        end(&stage, &names);
}

/* Addresses that come after that are used as well. */
static void test_one_is_late(void **state)
{
        static const struct name_rule rules[] = {
                { .name = "backend.test", .type = NAME_AAAA, .first = 1, .count = 1 },
                { .name = "backend.test", .first = 1, .count = 1, .late_ms = 500 },
                { .name = NULL },
        };
        struct stage stage;
        struct name_server names;
        struct told told = { .options = &(quoit_call_options){ .wait_for_ready = true } };
        uint64_t began_ns;

        (void)state;
        /* without the late addresses it would be tried again far too late */
        begin(&stage, &names, rules, &(quoit_client_limits){ .backoff_initial_ms = 60000 });
        open_name(&stage, &names, "backend.test");
        began_ns = clock_ns();
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_true(clock_ns() - began_ns >= 500 * MS);
        end(&stage, &names);
}

/* ---- failures ---- */

static const struct name_rule silent_rules[] = {
        { .name = "silent.test", .act = NAME_IS_SILENT },
        { .name = "empty.test" },
        { .name = NULL },
};

/* A call to a name that nobody answers for is under way. */
static void begin_silent(struct stage *stage, struct name_server *names, struct told *told)
{
        begin(stage, names, silent_rules, NULL);
        open_name(stage, names, "silent.test");
        told->stage = stage;
        stage_run(stage, told_start, told);
}

static void test_problems(void **state)
{
        static const char *const names_and_texts[][2] = {
                { "silent.test",
                        "UNAVAILABLE: cannot resolve silent.test: no server has answered within "
                        "0.3 s; the next attempt is in " },
                { "gone.test",
                        "UNAVAILABLE: cannot resolve gone.test: Domain name not found; the next "
                        "attempt is in " },
                { "empty.test",
                        "UNAVAILABLE: cannot resolve empty.test: it has no address; the next "
                        "attempt is in " },
        };
        struct stage stage;
        struct name_server names;

        (void)state;
        begin(&stage, &names, silent_rules, &(quoit_client_limits){ .resolution_ms = 300 });
        for (unsigned i = 0; i < 3; i++) {
                struct told told = { 0 };
                uint64_t began_ns = clock_ns();

                open_name(&stage, &names, names_and_texts[i][0]);
                told_call(&stage, &told);
                assert_begins(told.text, names_and_texts[i][1]);
                if (i == 0)
                        assert_true(clock_ns() - began_ns >= 300 * MS);
                stage.channel = quoit_channel_free(stage.channel);
        }
        end(&stage, &names);
}

/* A lookup has 30 s. */
static void test_thirty_seconds(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told told = { 0 };

        (void)state;
        begin_silent(&stage, &names, &told);
        clock_advance(&stage, 0);
        for (unsigned i = 0; i < 25; i++) { /* the rest is for a busy machine */
                clock_advance(&stage, SECOND);
                assert_int_equal(told.dones, 0);
        }
        clock_advance(&stage, 5 * SECOND);
        told_wait(&told);
        assert_begins(told.text,
                "UNAVAILABLE: cannot resolve silent.test: no server has answered within 30.0 s; ");
        end(&stage, &names);
}

/* ---- nobody waits for a name but who asks for it ---- */

static void test_others_go_on(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told stuck = { 0 };
        quoit_channel *slow;

        (void)state;
        begin_silent(&stage, &names, &stuck);
        slow = stage.channel;
        for (unsigned i = 0; i < 20; i++) {
                char target[64];

                snprintf(target, sizeof(target), "localhost:%u", stage.servers[0].port);
                stage_open(&stage, target);
                stage_call_ok(&stage);
                quoit_channel_free(stage.channel);
        }
        assert_int_equal(stuck.dones, 0);
        stage.channel = slow;
        end(&stage, &names);
        assert_int_equal(stuck.status, QUOIT_CANCELLED);
}

static void test_free_is_immediate(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told told = { 0 };

        (void)state;
        begin_silent(&stage, &names, &told);
        usleep(20000);
        assert_true(free_client(&stage) < 2 * SECOND);
        assert_int_equal(told.dones, 1);
        end(&stage, &names);
}

/* ---- again ---- */

static const struct name_rule at_first[] = {
        { .name = "backend.test", .type = NAME_A, .first = 1, .count = 1 },
        { .name = "backend.test" },
        { .name = NULL },
};
static const struct name_rule moved[] = {
        { .name = "backend.test", .type = NAME_A, .first = 2, .count = 1 },
        { .name = "backend.test" },
        { .name = NULL },
};
static const struct name_rule gone_silent[] = {
        { .name = "backend.test", .act = NAME_IS_SILENT },
        { .name = NULL },
};

static void begin_at_first(
        struct stage *stage, struct name_server *names, const quoit_client_limits *limits)
{
        begin(stage, names, at_first, limits);
        open_name(stage, names, "backend.test");
}

static void call(struct stage *stage)
{
        struct told told = { .options = &(quoit_call_options){ .wait_for_ready = true } };

        told_call(stage, &told);
        assert_string_equal(told.text, "OK");
}

/* The server moves: the old one says farewell, and is gone. */
static void move(struct stage *stage, struct name_server *names)
{
        atomic_store(&names->rules, moved);
        stage_serve_at(stage, 1, "127.0.0.2", stage->servers[0].port, NULL);
        stage_end_server(stage, 0);
}

/* A failed attempt has the name looked up again: at once if the last time was long ago. */
static void test_wrong_at_first(void **state)
{
        struct stage stage;
        struct name_server names;

        (void)state;
        /* the failed address alone would be tried again far too late */
        begin(&stage, &names, moved,
                &(quoit_client_limits){ .resolution_ms_min = 50, .backoff_initial_ms = 60000 });
        open_name(&stage, &names, "backend.test");
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_TRANSIENT_FAILURE);
        atomic_store(&names.rules, at_first);
        call(&stage);
        end(&stage, &names);
}

/* So does the end of a connection, though its server goes on. */
static void test_farewell(void **state)
{
        struct stage stage;
        struct name_server names;

        (void)state;
        name_server_start(&names, at_first);
        stage_init(&stage, &(quoit_client_limits){ .resolution_ms_min = 50 });
        stage_serve(&stage, 0, 0, &(quoit_limits){ .connection_age_ms = 100 });
        open_name(&stage, &names, "backend.test");
        call(&stage);
        assert_int_equal(names.asked, 2);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        call(&stage);
        WAIT(names.asked > 2);
        end(&stage, &names);
}

/* The server is gone, and another one is there at once. */
static void test_moves(void **state)
{
        struct stage stage;
        struct name_server names;

        (void)state;
        /* the failed address alone would be tried again far too late */
        begin_at_first(&stage, &names,
                &(quoit_client_limits){ .resolution_ms_min = 1, .backoff_initial_ms = 60000 });
        call(&stage);
        assert_int_equal(names.asked, 2);
        move(&stage, &names);
        call(&stage);
        assert_int_equal(stage.servers[1].script.started, 1);
        end(&stage, &names);
}

/* But not sooner than after `resolution_ms_min`, however often attempts fail. */
static void test_moves_too_soon(void **state)
{
        struct stage stage;
        struct name_server names;
        uint64_t began_ns = clock_ns(), seconds;

        (void)state;
        begin_at_first(&stage, &names,
                &(quoit_client_limits){ .resolution_ms_min = 1000,
                        .backoff_initial_ms = 10,
                        .backoff_max_ms = 10 });
        call(&stage);
        move(&stage, &names);
        call(&stage);
        seconds = (clock_ns() - began_ns) / SECOND;
        assert_true(seconds >= 1);
        assert_in_range(names.asked, 4, 2 + 2 * seconds);
        end(&stage, &names);
}

/* By default that is 30 s. */
static void test_moves_by_default(void **state)
{
        static const struct quoit_call_options options = { .wait_for_ready = true };
        struct stage stage;
        struct name_server names;
        struct told told = { .stage = &stage, .options = &options };

        (void)state;
        begin_at_first(&stage, &names, NULL);
        call(&stage);
        move(&stage, &names);
        stage_run(&stage, told_start, &told);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_TRANSIENT_FAILURE);
        for (unsigned i = 0; i < 25; i++) { /* the rest is for a busy machine */
                assert_int_equal(names.asked, 2);
                clock_advance(&stage, SECOND);
        }
        usleep(20000);
        assert_int_equal(names.asked, 2);
        clock_advance(&stage, 5 * SECOND);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(names.asked, 4);
        end(&stage, &names);
}

/* A server that is READY is left when its address is gone; with its calls, as the period is short. */
static void test_period(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told held = { .stage = &stage, .kind = QUOIT_BIDI, .keeps_open = true };

        (void)state;
        begin_at_first(&stage, &names, &(quoit_client_limits){ .resolution_period_ms = 50 });
        stage_run(&stage, told_start, &held);
        WAIT(names.asked >= 8);
        stage_serve_at(&stage, 1, "127.0.0.2", stage.servers[0].port, NULL);
        assert_int_equal(held.dones, 0);
        atomic_store(&names.rules, moved);
        for (unsigned i = 0; stage.servers[1].script.started == 0; i++) {
                assert_true(i < 1000);
                call(&stage);
                usleep(2000);
        }
        assert_int_equal(held.dones, 0); /* the call that runs stays where it is */
        end(&stage, &names);
        assert_int_equal(held.dones, 1);
}

/* At rest nothing is looked up. */
static void test_rest(void **state)
{
        struct stage stage;
        struct name_server names;
        unsigned asked;

        (void)state;
        begin_at_first(&stage, &names,
                &(quoit_client_limits){
                        .resolution_period_ms = 20, .resolution_ms_min = 1, .idle_ms = 100 });
        call(&stage);
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        usleep(20000); /* what was under way */
        asked = names.asked;
        assert_true(asked > 2);
        usleep(200000);
        assert_int_equal(names.asked, asked);
        /* addresses that were of use so long ago are not trusted any more */
        move(&stage, &names);
        call(&stage);
        assert_int_equal(stage.servers[1].script.started, 1);
        end(&stage, &names);
}

/* Names that cannot be looked up any more do not keep a channel from addresses that work. */
static void test_old_ones_serve(void **state)
{
        struct stage stage;
        struct name_server names;
        uint16_t port;

        (void)state;
        begin_at_first(&stage, &names,
                &(quoit_client_limits){ .resolution_period_ms = 20, .backoff_initial_ms = 10 });
        call(&stage);
        atomic_store(&names.rules, gone_silent);
        usleep(50000);
        port = stage.servers[0].port;
        for (unsigned i = 0; i < 3; i++) {
                uint64_t began_ns = clock_ns();

                stage_end_server(&stage, 0);
                stage_serve(&stage, 0, port, NULL);
                call(&stage);
                assert_true(clock_ns() - began_ns < 10 * SECOND);
        }
        end(&stage, &names);
}

/* A name that is not found, and then is. */
static void test_name_falls_back(void **state)
{
        static const struct name_rule nothing[] = { { .name = NULL } };
        struct stage stage;
        struct name_server names;
        char target[128];

        (void)state;
        begin(&stage, &names, nothing,
                &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 50 });
        stage_serve(&stage, 1, 0, NULL);
        snprintf(target, sizeof(target), "dns://127.0.0.1:%u/backend.test:%u", names.port,
                stage.servers[0].port);
        stage_open_with(&stage, target,
                &(quoit_channel_options){
                        .fallback_targets = (const char *const[]){ stage.servers[1].target },
                        .fallback_target_count = 1 });
        for (unsigned i = 0; i < 5; i++)
                stage_call_ok(&stage);
        assert_int_equal(stage.servers[1].script.started, 5);
        atomic_store(&names.rules, at_first);
        for (unsigned i = 0; stage_started(&stage, 0) == 0; i++) {
                assert_true(i < 10000);
                stage_call_ok(&stage);
                usleep(1000);
        }
        end(&stage, &names);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both),
                cmocka_unit_test(test_one_is_silent),
                cmocka_unit_test(test_one_is_late),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_thirty_seconds),
                cmocka_unit_test(test_others_go_on),
                cmocka_unit_test(test_free_is_immediate),
                cmocka_unit_test(test_wrong_at_first),
                cmocka_unit_test(test_farewell),
                cmocka_unit_test(test_moves),
                cmocka_unit_test(test_moves_too_soon),
                cmocka_unit_test(test_moves_by_default),
                cmocka_unit_test(test_period),
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_old_ones_serve),
                cmocka_unit_test(test_name_falls_back),
        };

        return RUN_ON_BOTH_ENGINES("client/resolver", tests);
}
