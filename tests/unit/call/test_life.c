/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* A call is freed when handler, stream and output no longer use it, in any order. */
static void test_freed_by_the_last(void **state)
{
        (void)state;
        for (unsigned order = 0; order < 6; order++) {
                static const char *const orders[] = { "hso", "hos", "sho", "soh", "ohs", "osh" };
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

                call->ring.started = true;
                call->exchange.stream.pins = 1;
                for (const char *step = orders[order]; *step; step++) {
                        assert_int_equal(bench->freed, 0);
                        if (*step == 'h') {
                                if (call->ring.state == CALL_OPEN)
                                        call_cancel(call, QUOIT_OK, NULL);
                                call_set_state(call, CALL_DONE);
                                call_release(call);
                        } else if (*step == 's') {
                                bench_close(call);
                        } else {
                                call->exchange.stream.pins = 0;
                                writer_unpinned(&call->exchange);
                                call_release(call);
                        }
                }
                assert_int_equal(bench->freed, 1);
                bench_free(bench);
        }
}

/* No handler has had it: no event is due. */
static void test_reset_before_the_handler(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *opening = call_new(&bench->group);
        struct quoit_call *open = bench_call(bench, QUOIT_UNARY);

        (void)state;
        assert_int_equal(bench->group.count, 2);
        list_init(&opening->exchange.stream.link);
        stream_set_state(&opening->exchange.stream, STREAM_OPEN);
        bench_close(opening);
        bench_close(open);
        assert_int_equal(bench->ready, 0);
        assert_int_equal(bench->freed, 2);
        bench_free(bench);
}

static void test_reset_tells_the_handler(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        (void)state;
        call->ring.started = true;
        assert_false(quoit_call_cancelled(call));
        bench_close(call);
        assert_true(quoit_call_cancelled(call));
        assert_int_equal(call->ring.state, CALL_CANCELLED);
        assert_int_equal(bench->ready, 1);
        call_cancel(call, QUOIT_INTERNAL, "too late"); /* no-op */
        assert_int_equal(bench->ready, 1);
        call_set_state(call, CALL_DONE);
        call_release(call);
        bench_free(bench);
}

static void test_deadline(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        (void)state;
        bench->ring.now_ns = 7 * MS;
        call->ring.started = true;
        assert_int_equal(quoit_call_deadline_ns(call), UINT64_MAX);
        call_set_deadline(call, 5 * MS);
        assert_int_equal(quoit_call_deadline_ns(call), 12 * MS);
        timers_expire(&bench->ring.timers, 11 * MS);
        assert_int_equal(call->ring.state, CALL_OPEN);
        timers_expire(&bench->ring.timers, 14 * MS);
        assert_int_equal(call->ring.state, CALL_CANCELLED);
        assert_int_equal(bench->ready, 1);
        call_set_state(call, CALL_DONE);
        bench_close(call);
        bench_free(bench);
}

/* A deadline beyond the clock's range: none. */
static void test_deadline_that_never_comes(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        (void)state;
        bench->ring.now_ns = 7;
        call_set_deadline(call, UINT64_MAX - 3);
        assert_int_equal(quoit_call_deadline_ns(call), UINT64_MAX);
        assert_false(timer_is_running(&call->exchange.deadline));
        bench_close(call);
        bench_free(bench);
}

/* It is cancelled with the call, however that ends. */
static void test_deadline_ends_with_the_call(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        (void)state;
        call_set_deadline(call, 5 * MS);
        call->ring.started = true;
        quoit_call_finish(call, QUOIT_NOT_FOUND, "100 %");
        assert_int_equal(call->ring.state, CALL_FINISHED);
        assert_false(timer_is_running(&call->exchange.deadline));
        assert_int_equal(call->handler.status_text_size, strlen("100 %25"));
        assert_memory_equal(call->handler.status_text, "100 %25", call->handler.status_text_size);
        quoit_call_finish(call, QUOIT_OK, NULL); /* the first one counts */
        assert_int_equal(call->handler.status, QUOIT_NOT_FOUND);
        call_set_state(call, CALL_DONE);
        bench_close(call);
        bench_free(bench);
}

/* Whether call_cancel() and call_fail(), which all statuses of the library itself pass, accept @status. */
static bool may_say(quoit_status status, bool fail)
{
        pid_t child = fork();
        int how;

        assert_true(child >= 0);
        if (child == 0) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

                signal(SIGABRT, SIG_DFL); /* cmocka's handler would continue with the other tests */
                fclose(stderr);
                (fail ? call_fail : call_cancel)(call, status, "");
                _exit(0);
        }
        assert_int_equal(waitpid(child, &how, 0), child);
        return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

/* gRPC's "Status codes and their use": the library never makes seven of them. */
static void test_statuses_that_are_the_applications(void **state)
{
        static const quoit_status applications[] = { QUOIT_INVALID_ARGUMENT, QUOIT_NOT_FOUND,
                QUOIT_ALREADY_EXISTS, QUOIT_FAILED_PRECONDITION, QUOIT_ABORTED, QUOIT_OUT_OF_RANGE,
                QUOIT_DATA_LOSS, (quoit_status)-1, (quoit_status)17 };
        bool expected[18];

        (void)state;
        memset(expected, true, sizeof(expected));
        for (size_t i = 0; i < sizeof(applications) / sizeof(*applications); i++) {
                if (applications[i] <= 17)
                        expected[applications[i]] = false;
                assert_false(may_say(applications[i], false));
        }
        for (int status = 0; status <= 17; status++) {
                assert_int_equal(may_say((quoit_status)status, false), expected[status]);
                assert_int_equal(may_say((quoit_status)status, true), expected[status]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_freed_by_the_last),
                cmocka_unit_test(test_reset_before_the_handler),
                cmocka_unit_test(test_reset_tells_the_handler),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_deadline_that_never_comes),
                cmocka_unit_test(test_deadline_ends_with_the_call),
                cmocka_unit_test(test_statuses_that_are_the_applications),
        };

        return cmocka_run_group_tests_name("call/life", tests, NULL, NULL);
}
