/* SPDX-License-Identifier: MIT */

/* A client that a loop of the program turns: everything on one thread, but for the server and blocking calls. */

#include "stage.h"

#include <errno.h>
#include <poll.h>

/* One round of the loop. It may not sleep longer than something is due. */
static void step(struct stage *stage, int limit_ms)
{
        struct pollfd fd = { .fd = quoit_client_fd(stage->client), .events = POLLIN };

        assert_true(fd.fd >= 0);
        (void)poll(&fd, 1, limit_ms);
        assert_int_equal(quoit_client_step(stage->client), 1);
}

#define STEP_UNTIL(stage, condition)                                                               \
        do {                                                                                       \
                uint64_t limit_ns = clock_ns() + 20 * SECOND;                                      \
                while (!(condition)) {                                                             \
                        assert_true(clock_ns() < limit_ns);                                        \
                        step(stage, 20000);                                                        \
                }                                                                                  \
        } while (0)

/* ---- tests ---- */

/* Between steps a call can begin: the descriptor tells the loop. */
static void test_calls(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        for (unsigned i = 0; i < 10; i++) {
                struct told told = { .stage = &stage, .size = 1000 * i };

                told_start(&told);
                STEP_UNTIL(&stage, atomic_load(&told.dones) == 1);
                assert_string_equal(told.text, "OK");
                assert_int_equal(told.bytes, 1000 * i);
        }
        stage_deinit(&stage);
}

static void test_deadline(void **state)
{
        const quoit_call_options options = { .timeout_ms = 100 };
        struct stage stage;
        struct told told = { .stage = &stage, .act = SCRIPT_HOLD, .options = &options };
        uint64_t began_ns = clock_ns();

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        told_start(&told);
        STEP_UNTIL(&stage, atomic_load(&told.dones) == 1);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        assert_true(clock_ns() - began_ns < 10 * SECOND);
        stage_deinit(&stage);
}

static void wait_for(struct told *told)
{
        uint64_t limit_ns = clock_ns() + 20 * SECOND;

        while (atomic_load(&told->dones) == 0) {
                assert_true(clock_ns() < limit_ns);
                assert_int_equal(quoit_client_wait(told->stage->client, 20 * SECOND), 1);
        }
}

/* The loop is nothing but the wait. It goes on when the descriptor was asked for, too. */
static void test_wait(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        for (unsigned i = 0; i < 10; i++) {
                struct told told = { .stage = &stage, .size = 1000 * i };

                if (i == 5)
                        assert_true(quoit_client_fd(stage.client) >= 0);
                told_start(&told);
                wait_for(&told);
                assert_string_equal(told.text, "OK");
                assert_int_equal(told.bytes, 1000 * i);
        }
        stage_deinit(&stage);
}

/* It ends by itself when nothing happens; a deadline is something. */
static void test_wait_ends(void **state)
{
        const quoit_call_options options = { .timeout_ms = 100 };
        struct stage stage;
        struct told told = { .stage = &stage, .act = SCRIPT_HOLD, .options = &options };
        uint64_t began_ns;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        told_start(&told);
        wait_for(&told);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        for (unsigned i = 0; i < 2; i++) { /* without the descriptor, and with it */
                began_ns = clock_ns();
                for (unsigned turns = 0; clock_ns() - began_ns < SECOND / 20; turns++) {
                        assert_true(turns < 1000);
                        assert_int_equal(quoit_client_wait(stage.client, SECOND / 20), 1);
                }
                assert_true(quoit_client_fd(stage.client) >= 0);
        }
        stage_deinit(&stage);
}

struct caller {
        struct stage *stage;
        quoit_status status;
        atomic_bool is_over;
};

static void *call_from_thread(void *arg)
{
        struct caller *caller = arg;

        caller->status = call_blocking(caller->stage->channel, SCRIPT_ANSWER, NULL);
        atomic_store(&caller->is_over, true);
        assert_int_equal(quoit_client_step(caller->stage->client), -EPERM);
        assert_int_equal(quoit_client_wait(caller->stage->client, 0), -EPERM);
        assert_int_equal(quoit_client_fd(caller->stage->client), -EPERM);
        assert_ptr_equal(quoit_client_free(caller->stage->client), caller->stage->client);
        return NULL;
}

/* Another thread's call makes the loop turn. On the loop's own thread it would wait for itself. */
static void test_other_thread(void **state)
{
        struct stage stage;
        struct caller caller = { .stage = &stage };
        pthread_t thread;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        assert_int_equal(pthread_create(&thread, NULL, call_from_thread, &caller), 0);
        while (!atomic_load(&caller.is_over))
                step(&stage, 100);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(caller.status, QUOIT_OK);
        assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, NULL), QUOIT_INTERNAL);
        stage_deinit(&stage);
}

struct within {
        bool has_run;
};

static void try_within(quoit_client *client, void *arg)
{
        struct within *within = arg;

        within->has_run = true;
        assert_int_equal(quoit_client_step(client), -EPERM);
        assert_int_equal(quoit_client_wait(client, 0), -EPERM);
        assert_ptr_equal(quoit_client_free(client), client);
}

static void test_within_a_step(void **state)
{
        struct stage stage;
        struct within within = { 0 };

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        assert_int_equal(quoit_client_post(stage.client, try_within, &within), 0);
        STEP_UNTIL(&stage, within.has_run);
        stage_deinit(&stage);
}

/* Freeing it ends calls, and tells them. */
static void test_end(void **state)
{
        struct stage stage;
        struct told told = { .stage = &stage, .act = SCRIPT_HOLD };

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        told_start(&told);
        STEP_UNTIL(&stage, quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_READY);
        assert_null(quoit_client_free(stage.client));
        assert_int_equal(atomic_load(&told.dones), 1);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        stage_end_server(&stage, 0);
}

static void test_others(void **state)
{
        quoit_client *client = NULL;

        (void)state;
        assert_int_equal(
                quoit_client_new(&(quoit_client_options){ .stepped = true, .rings = 2 }, &client),
                -EINVAL);
        assert_int_equal(quoit_client_new(NULL, &client), 0);
        assert_int_equal(quoit_client_fd(client), -EINVAL);
        assert_int_equal(quoit_client_step(client), -EINVAL);
        assert_int_equal(quoit_client_wait(client, 0), -EINVAL);
        assert_null(quoit_client_free(client));
}

static void free_channel(quoit_client *client, void *arg)
{
        struct stage *stage = arg;

        (void)client;
        stage->channel = quoit_channel_free(stage->channel);
}

static void free_at_its_end(quoit_channel *channel, quoit_channel_state state, void *user)
{
        (void)channel;
        if (state == QUOIT_CHANNEL_SHUTDOWN)
                assert_int_equal(
                        quoit_client_post(((struct stage *)user)->client, free_channel, user), 0);
}

/* What the last turn has posted runs, and may free what is the client's. */
static void test_free_in_the_last_task(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .stepped = true });
        assert_int_equal(quoit_channel_watch(stage.channel, free_at_its_end, &stage), 0);
        assert_null(quoit_client_free(stage.client));
        stage.client = NULL;
        assert_null(stage.channel);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_wait),
                cmocka_unit_test(test_wait_ends),
                cmocka_unit_test(test_other_thread),
                cmocka_unit_test(test_within_a_step),
                cmocka_unit_test(test_end),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_free_in_the_last_task),
        };

        return RUN_ON_BOTH_ENGINES("client/stepped", tests);
}
