/* SPDX-License-Identifier: MIT */

/* fork() in a program with a client: the parent notices nothing, the child gets an answer from everything at once. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#define FORKS 20
#define CHILD_SECONDS 30 /* a child that hangs is killed by its alarm */

/* In a child: cmocka's asserts would run the parent's tests. */
#define CHECK(condition)                                                                           \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        dprintf(2, "%s:%d: in the child: %s\n", __FILE__, __LINE__, #condition);   \
                        _exit(1);                                                                  \
                }                                                                                  \
        } while (0)

static quoit_stream *open_stream; /* the parent's */

static void never(quoit_client *client, void *arg)
{
        (void)client;
        (void)arg;
        CHECK(false);
}

/* Of the parent: another thread may hold its lock. And one that the child opens. */
static void check_stream(quoit_stream *stream)
{
        const struct upb_Message *reply;
        quoit_error error;

        CHECK(!quoit_stream_write(stream, NULL));
        CHECK(!quoit_stream_read(stream, NULL, &reply));
        quoit_stream_half_close(stream);
        quoit_stream_cancel(stream);
        CHECK(quoit_stream_finish(stream, &error) == QUOIT_UNAVAILABLE);
        CHECK(strstr(quoit_error_text(&error), "make a client and a channel after fork()"));
}

static void check_inherited(struct stage *stage)
{
        static const quoit_outcall_handler handler = { 0 };
        quoit_channel *channel = NULL;
        quoit_error error;

        CHECK(call_blocking(stage->channel, SCRIPT_ANSWER, &error) == QUOIT_UNAVAILABLE);
        CHECK(strstr(quoit_error_text(&error), "make a client and a channel after fork()"));
        CHECK(quoit_outcall_start(stage->channel, script_method(QUOIT_UNARY), NULL, &handler, NULL,
                      NULL) == -ESHUTDOWN);
        CHECK(quoit_client_post(stage->client, never, NULL) == -ESHUTDOWN);
        CHECK(quoit_channel_new(stage->client, "127.0.0.1:1", NULL, &channel) == -ESHUTDOWN);
        CHECK(quoit_channel_connect(stage->channel) == -ESHUTDOWN);
        CHECK(quoit_channel_watch(stage->channel, NULL, NULL) == -EPERM);
        CHECK(quoit_channel_get_state(stage->channel) == QUOIT_CHANNEL_SHUTDOWN);
        check_stream(quoit_stream_open(stage->channel, script_method(QUOIT_BIDI), NULL, NULL));
        if (open_stream)
                check_stream(open_stream);
}

/* A new thread may get the place, and so the thread pointer, of one that only the parent has. */
static void *check_on_thread(void *arg)
{
        check_inherited(arg);
        return NULL;
}

static void check_on_threads(struct stage *stage)
{
        pthread_t threads[8];

        for (unsigned i = 0; i < 8; i++)
                CHECK(pthread_create(threads + i, NULL, check_on_thread, stage) == 0);
        for (unsigned i = 0; i < 8; i++)
                CHECK(pthread_join(threads[i], NULL) == 0);
}

/* The child's own client works, to the same server. */
static void check_own(const char *target)
{
        const quoit_client_options options = {
                .engine = on_uring() ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_EPOLL,
        };
        quoit_client *client;
        quoit_channel *channel;

        CHECK(quoit_client_new(&options, &client) == 0);
        CHECK(quoit_channel_new(client, target, NULL, &channel) == 0);
        for (unsigned i = 0; i < 3; i++)
                CHECK(call_blocking(channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        CHECK(!quoit_channel_free(channel));
        CHECK(!quoit_client_free(client));
}

static void run_child(struct stage *stage)
{
        alarm(CHILD_SECONDS);
        check_inherited(stage);
        check_on_threads(stage);
        check_own(stage->servers[0].target);
        CHECK(!quoit_channel_free(stage->channel));
        CHECK(!quoit_client_free(stage->client));
        _exit(0);
}

static pid_t fork_child(struct stage *stage)
{
        pid_t child = fork();

        if (child == 0)
                run_child(stage);
        assert_true(child > 0);
        return child;
}

static void assert_child_succeeds(pid_t child)
{
        int status;

        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* A call of the parent runs across the fork, and others follow on the same connections while the child lives and after it. */
static void test_parent_and_child(void **state)
{
        (void)state;
        for (unsigned rings = 1; rings <= 3; rings += 2) {
                struct stage stage;
                struct told held = { .act = SCRIPT_HOLD, .stage = &stage }, told = { 0 };
                quoit_server_statistics before, after;
                pid_t child;

                stage_begin_with(&stage, (quoit_client_options){ .rings = rings });
                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_OK);
                stage_run(&stage, told_start, &held);
                open_stream =
                        quoit_stream_open(stage.channel, script_method(QUOIT_BIDI), NULL, NULL);
                child = fork_child(&stage);
                for (unsigned i = 0; i < 10; i++) {
                        told = (struct told){ 0 };
                        told_call(&stage, &told);
                        assert_int_equal(told.status, QUOIT_OK);
                }
                assert_child_succeeds(child);
                quoit_server_get_statistics(stage.servers[0].server, &before);
                told = (struct told){ 0 };
                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_OK);
                quoit_server_get_statistics(stage.servers[0].server, &after);
                assert_int_equal(before.connections_accepted, after.connections_accepted);
                assert_int_equal(before.connections_accepted, 2); /* the child's is the other one */
                assert_int_equal(atomic_load(&held.dones), 0);
                stage_run(&stage, told_cancel, &held);
                told_wait(&held);
                assert_int_equal(held.status, QUOIT_CANCELLED);
                quoit_stream_cancel(open_stream);
                assert_int_equal(quoit_stream_finish(open_stream, NULL), QUOIT_CANCELLED);
                open_stream = NULL;
                stage_deinit(&stage);
        }
}

struct caller {
        struct stage *stage;
        atomic_bool ends;
        unsigned failures;
};

static void *call_on_and_on(void *arg)
{
        struct caller *caller = arg;

        while (!atomic_load(&caller->ends))
                caller->failures +=
                        call_blocking(caller->stage->channel, SCRIPT_ANSWER, NULL) != QUOIT_OK;
        return NULL;
}

/* At any moment: whatever locks other threads hold, the child gets its answers, and no call of the parent is lost. */
static void test_any_moment(void **state)
{
        struct stage stage;
        struct caller callers[2];
        pthread_t threads[2];

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .rings = 2 });
        for (unsigned i = 0; i < 2; i++) {
                callers[i] = (struct caller){ .stage = &stage };
                assert_int_equal(pthread_create(threads + i, NULL, call_on_and_on, callers + i), 0);
        }
        for (unsigned i = 0; i < FORKS; i++)
                assert_child_succeeds(fork_child(&stage));
        for (unsigned i = 0; i < 2; i++) {
                atomic_store(&callers[i].ends, true);
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(callers[i].failures, 0);
        }
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parent_and_child),
                cmocka_unit_test(test_any_moment),
        };

        return RUN_ON_BOTH_ENGINES("client/fork", tests);
}
