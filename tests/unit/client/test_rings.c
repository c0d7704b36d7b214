/* SPDX-License-Identifier: MIT */

/* A client with several rings of its own: which one has a call, and what becomes of a channel on all of them. */

#include "stage.h"

#include <errno.h>

#define RINGS 3

/* ---- steps on one ring ---- */

struct here {
        struct stage *stage;
        struct told told;
        pthread_t began, ended; /* the threads of the call */
        quoit_channel_state state; /* of its ring, at the end */
        atomic_bool is_over;
};

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct here *here = user;

        (void)call;
        here->ended = pthread_self();
        here->told.status = status;
        here->state = quoit_channel_get_state(here->stage->channel);
        atomic_store(&here->is_over, true);
}

static void start(quoit_client *client, void *arg)
{
        static const quoit_outcall_handler handler = { .on_done = on_done };
        struct here *here = arg;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);
        quoit_outcall *call;

        assert_ptr_equal(client, here->stage->client);
        here->began = pthread_self();
        script_Ask_set_act(ask, SCRIPT_ANSWER);
        assert_int_equal(quoit_outcall_start(here->stage->channel, script_method(QUOIT_UNARY), NULL,
                                 &handler, here, &call),
                0);
        assert_int_equal(quoit_outcall_send(call, (const struct upb_Message *)ask), 0);
        upb_Arena_Free(arena);
}

static uint64_t accepted(const struct stage *stage)
{
        quoit_server_statistics statistics;

        quoit_server_get_statistics(stage->servers[0].server, &statistics);
        return statistics.connections_accepted;
}

/* ---- tests ---- */

/* A call ends on the thread that began it, and each ring has a connection of its own. */
static void test_each_its_own(void **state)
{
        struct stage stage;
        struct here heres[RINGS] = { 0 };

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .rings = RINGS });
        assert_int_equal(quoit_client_rings(stage.client), RINGS);
        for (unsigned i = 0; i < RINGS; i++) {
                heres[i].stage = &stage;
                assert_int_equal(quoit_client_post_to(stage.client, i, start, heres + i), 0);
        }
        for (unsigned i = 0; i < RINGS; i++) {
                WAIT(atomic_load(&heres[i].is_over));
                assert_int_equal(heres[i].told.status, QUOIT_OK);
                assert_int_equal(heres[i].state, QUOIT_CHANNEL_READY);
                assert_true(pthread_equal(heres[i].began, heres[i].ended));
                for (unsigned j = 0; j < i; j++)
                        assert_false(pthread_equal(heres[i].began, heres[j].began));
        }
        assert_int_equal(accepted(&stage), RINGS);
        assert_int_equal(quoit_client_post_to(stage.client, RINGS, start, heres), -EINVAL);
        stage_deinit(&stage);
}

/* The state that another thread sees is the best one: one ring is connected, the others have not tried. */
static void test_state(void **state)
{
        struct stage stage;
        struct here here = { .stage = &stage };

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .rings = RINGS });
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_IDLE);
        assert_int_equal(quoit_client_post_to(stage.client, 1, start, &here), 0);
        WAIT(atomic_load(&here.is_over));
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_READY);
        assert_int_equal(accepted(&stage), 1);
        assert_int_equal(quoit_channel_connect(stage.channel), 0); /* on all of them */
        WAIT(accepted(&stage) == RINGS);
        stage_deinit(&stage);
}

/* Blocking calls take the rings in turn. */
static void test_turns(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .rings = RINGS });
        for (unsigned i = 1; i <= RINGS; i++) {
                assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, NULL), QUOIT_OK);
                assert_int_equal(accepted(&stage), i);
        }
        assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, NULL), QUOIT_OK);
        assert_int_equal(accepted(&stage), RINGS);
        stage_deinit(&stage);
}

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        struct here *here = user;

        assert_ptr_equal(channel, here->stage->channel);
        if (state == QUOIT_CHANNEL_SHUTDOWN)
                atomic_store(&here->is_over, true);
}

static void watch(quoit_client *client, void *arg)
{
        struct here *here = arg;

        (void)client;
        assert_int_equal(quoit_channel_watch(here->stage->channel, on_state, here), 0);
}

/* A watch is a ring's. Each hears of the end, with the channel still there: also where only the client is freed. */
static void test_end(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 2; round++) {
                struct stage stage;
                struct here heres[RINGS] = { 0 };

                stage_begin_with(&stage, (quoit_client_options){ .rings = RINGS });
                for (unsigned i = 0; i < RINGS; i++) {
                        heres[i].stage = &stage;
                        assert_int_equal(
                                quoit_client_post_to(stage.client, i, watch, heres + i), 0);
                }
                if (round == 0)
                        quoit_channel_free(stage.channel);
                assert_null(quoit_client_free(stage.client));
                for (unsigned i = 0; i < RINGS; i++)
                        assert_true(atomic_load(&heres[i].is_over));
                stage_end_server(&stage, 0);
        }
}

static void test_bad(void **state)
{
        quoit_client *client = NULL;

        (void)state;
        assert_int_equal(
                quoit_client_new(
                        &(quoit_client_options){ .rings = QUOIT_CLIENT_RINGS_MAX + 1 }, &client),
                -EINVAL);
        assert_null(client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_its_own),
                cmocka_unit_test(test_state),
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_end),
                cmocka_unit_test(test_bad),
        };

        return RUN_ON_BOTH_ENGINES("client/rings", tests);
}
