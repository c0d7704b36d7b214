/* SPDX-License-Identifier: MIT */

/* A client on a server's rings before that server runs, while it stops, and after it. */

#include "front.h"

#include <errno.h>

static void never(quoit_client *client, void *arg)
{
        (void)client;
        (void)arg;
        fail();
}

/* Before, while and after its server runs, seen from a thread that runs no ring. */
static void test_life(void **state)
{
        quoit_error error;
        quoit_client *late = NULL;
        struct stage stage;
        struct front front;
        quoit_client_options options;

        (void)state;
        front_init(&front, &stage, false);
        options = (quoit_client_options){ .lent = quoit_server_rings(front.server) };
        assert_int_equal(call_blocking(front.channel, SCRIPT_ANSWER, &error), QUOIT_UNAVAILABLE);
        assert_string_equal(quoit_error_text(&error),
                "UNAVAILABLE: the server on whose rings the client works has not started yet");
        assert_int_equal(quoit_client_post(front.client, never, NULL), -EAGAIN);
        assert_int_equal(quoit_channel_connect(front.channel), -EAGAIN);

        front_start(&front);
        /* one ring begins after the other, and calls go to both in turn */
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK &&
                call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        assert_ptr_equal(quoit_client_free(front.client), front.client);
        assert_int_equal(quoit_client_new(&options, &late), -EBUSY);

        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(front.thread, NULL), 0);
        front.has_started = false;
        assert_int_equal(quoit_channel_get_state(front.channel), QUOIT_CHANNEL_SHUTDOWN);
        assert_int_equal(call_blocking(front.channel, SCRIPT_ANSWER, NULL), QUOIT_CANCELLED);
        assert_int_equal(quoit_client_post(front.client, never, NULL), -ESHUTDOWN);
        front_deinit(&front, &stage);
}

/* A server that never starts, and one that is freed before its client. */
static void test_order(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 2; round++) {
                struct stage stage;
                struct front front;

                front_init(&front, &stage, false);
                if (round == 1) {
                        front_start(&front);
                        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
                        quoit_server_stop(front.server);
                        assert_int_equal(pthread_join(front.thread, NULL), 0);
                }
                quoit_server_free(front.server);
                assert_null(quoit_client_free(front.client)); /* with its channel */
                stage_deinit(&stage);
        }
}

/* The thread that was the ring's is any other one when that is gone. */
static void *run_and_go_on(void *arg)
{
        struct front *front = arg;
        quoit_channel *channel;

        assert_int_equal(quoit_server_run(front->server), 0);
        quoit_server_free(front->server);
        front->server = NULL;
        assert_int_equal(quoit_outcall_start(front->channel, script_method(QUOIT_UNARY), NULL,
                                 &told_handler, NULL, NULL),
                -EPERM);
        assert_int_equal(quoit_channel_new(front->client, "127.0.0.1:1", NULL, &channel), 0);
        assert_int_equal(quoit_channel_get_state(channel), QUOIT_CHANNEL_SHUTDOWN);
        assert_null(quoit_channel_free(channel));
        return NULL;
}

static void test_same_thread(void **state)
{
        struct stage stage;
        struct front front;

        (void)state;
        front_init(&front, &stage, false);
        assert_int_equal(pthread_create(&front.thread, NULL, run_and_go_on, &front), 0);
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(front.thread, NULL), 0);
        assert_null(quoit_client_free(front.client)); /* with its channel */
        stage_deinit(&stage);
}

/* The server waits for a call that waits for its outcall, and both succeed. */
static void test_stop(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, false);
        front_open(&front, &stage);
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) == 1);
        quoit_server_stop(front.server);
        usleep(50000);
        assert_int_equal(atomic_load(&told.dones), 0);
        quoit_server_stop(stage.servers[0].server); /* ends what is held there */
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(
                front.status, QUOIT_UNAVAILABLE); /* the other server's, and not CANCELLED */
        front_deinit(&front, &stage);
}

struct waiter {
        struct front *front;
        quoit_status status;
};

static void *wait_blocking(void *arg)
{
        struct waiter *waiter = arg;

        waiter->status = call_blocking(waiter->front->channel, SCRIPT_HOLD, NULL);
        return NULL;
}

/* A call that no handler waits for is no reason for the server to stay. */
static void test_stop_others(void **state)
{
        struct stage stage;
        struct front front;
        struct waiter waiter = { .front = &front };
        pthread_t thread;
        unsigned started;

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        /* rings take turns: until both have begun, one of two calls fails */
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK &&
                call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        started = stage_started(&stage, 0);
        assert_int_equal(pthread_create(&thread, NULL, wait_blocking, &waiter), 0);
        WAIT(stage_started(&stage, 0) == started + 1);
        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(waiter.status, QUOIT_CANCELLED);
        front_deinit(&front, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_life),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_same_thread),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_stop_others),
        };

        return RUN_ON_BOTH_ENGINES("client/lent-life", tests);
}
