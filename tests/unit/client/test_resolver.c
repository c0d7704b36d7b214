/* SPDX-License-Identifier: MIT */

/* Channels whose names a server of DNS of the test's own has, with real servers behind them. */

#include "stage.h"

#include <stdio.h>

#include "name_server.h"

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

static void assert_begins(const char *text, const char *expected)
{
        if (strncmp(text, expected, strlen(expected)) != 0)
                fail_msg("%s", text);
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

static void test_default_limits(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told told = { .stage = &stage };

        (void)state;
        begin(&stage, &names, silent_rules, NULL);
        open_name(&stage, &names, "silent.test");
        stage_run(&stage, told_start, &told);
        usleep(600000); /* far less than the 30 s: it goes on */
        assert_int_equal(told.dones, 0);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_CONNECTING);
        end(&stage, &names);
        assert_int_equal(told.dones, 1);
}

/* ---- nobody waits for a name but who asks for it ---- */

static void test_others_go_on(void **state)
{
        struct stage stage;
        struct name_server names;
        struct told stuck = { .stage = &stage };
        quoit_channel *slow;

        (void)state;
        begin(&stage, &names, silent_rules, NULL);
        open_name(&stage, &names, "silent.test");
        stage_run(&stage, told_start, &stuck);
        slow = stage.channel;
        for (unsigned i = 0; i < 20; i++) {
                struct told told = { 0 };
                char target[64];

                snprintf(target, sizeof(target), "localhost:%u", stage.servers[0].port);
                stage_open(&stage, target);
                told_call(&stage, &told);
                assert_string_equal(told.text, "OK");
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
        struct told told = { .stage = &stage };

        (void)state;
        begin(&stage, &names, silent_rules, NULL);
        open_name(&stage, &names, "silent.test");
        stage_run(&stage, told_start, &told);
        usleep(20000);
        assert_true(free_client(&stage) < 2 * SECOND);
        assert_int_equal(told.dones, 1);
        end(&stage, &names);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both),
                cmocka_unit_test(test_one_is_silent),
                cmocka_unit_test(test_one_is_late),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_default_limits),
                cmocka_unit_test(test_others_go_on),
                cmocka_unit_test(test_free_is_immediate),
        };

        return RUN_ON_BOTH_ENGINES("client/resolver", tests);
}
