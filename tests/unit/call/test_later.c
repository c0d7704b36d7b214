/* SPDX-License-Identifier: MIT */

/* Posts and delays, until they are in the dispatcher's list. */

#include "harness.h"

#include <errno.h>

#define MS UINT64_C(1000000)

static void nothing(quoit_call *call, void *arg)
{
        (void)call;
        (void)arg;
}

static unsigned posts_of(struct quoit_call *call, const char *expected)
{
        unsigned count = 0;
        struct call_post *post;

        while ((post = call->ring.posts)) {
                assert_int_equal(*(const char *)post->arg, expected[count++]);
                call->ring.posts = post->next;
                free(post);
        }
        return count;
}

static struct quoit_call *started_call(struct bench *bench)
{
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        call->ring.started = true;
        return call;
}

static void end(struct bench *bench, struct quoit_call *call)
{
        call_set_state(call, CALL_DONE);
        bench_close(call);
        bench_free(bench);
}

static void test_in_the_order_of_time(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);

        (void)state;
        bench->ring.now_ns = 100 * MS;
        assert_int_equal(quoit_call_after(call, 30, nothing, "c"), 0);
        assert_int_equal(quoit_call_after(call, 10, nothing, "a"), 0);
        assert_int_equal(quoit_call_after(call, 20, nothing, "b"), 0);
        timers_expire(&bench->ring.timers, 109 * MS);
        assert_null(call->ring.posts);
        timers_expire(&bench->ring.timers, 122 * MS);
        assert_int_equal(bench->ready, 2);
        assert_int_equal(posts_of(call, "ab"), 2);
        timers_expire(&bench->ring.timers, 200 * MS);
        assert_int_equal(posts_of(call, "c"), 1);
        quoit_call_finish(call, QUOIT_OK, NULL);
        end(bench, call);
}

static void test_a_finish_drops_them(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);

        (void)state;
        assert_int_equal(quoit_call_after(call, 10, nothing, "a"), 0);
        assert_int_equal(quoit_call_after(call, UINT32_MAX, nothing, "b"), 0);
        quoit_call_finish(call, QUOIT_OK, NULL);
        assert_int_equal(bench->ring.timers.count, 0);
        assert_int_equal(quoit_call_after(call, 10, nothing, "c"), 0);
        assert_int_equal(bench->ring.timers.count, 0);
        assert_null(call->ring.posts);
        end(bench, call);
}

static void test_a_cancellation_hastens_them(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);

        (void)state;
        assert_int_equal(quoit_call_after(call, 20, nothing, "a"), 0);
        assert_int_equal(quoit_call_after(call, 10, nothing, "b"), 0);
        call_cancel(call, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        assert_int_equal(bench->ring.timers.count, 0);
        assert_int_equal(quoit_call_after(call, 10, nothing, "c"),
                -ECANCELED); /* or it would go on for ever */
        assert_int_equal(bench->ring.timers.count, 0);
        assert_int_equal(posts_of(call, "ba"), 2);
        end(bench, call);
}

/* A function that waits for the server's stop runs then, or when the call is cancelled: once. A finish drops it. */
static void test_at_stop(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *stopped = started_call(bench), *cancelled = started_call(bench),
                          *finished = started_call(bench), *late = started_call(bench);

        (void)state;
        assert_int_equal(quoit_call_at_stop(stopped, nothing, "b"), 0);
        assert_int_equal(quoit_call_after(stopped, 10, nothing, "a"), 0);
        assert_int_equal(quoit_call_at_stop(cancelled, nothing, "c"), 0);
        assert_int_equal(quoit_call_at_stop(finished, nothing, "d"), 0);
        assert_true(call_is_held(stopped));
        timers_expire(&bench->ring.timers, 100 * MS);
        assert_int_equal(posts_of(stopped, "a"), 1);
        call_cancel(cancelled, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        assert_int_equal(posts_of(cancelled, "c"), 1);
        assert_int_equal(quoit_call_at_stop(cancelled, nothing, "c"), -ECANCELED);
        quoit_call_finish(finished, QUOIT_OK, NULL);
        assert_int_equal(quoit_call_at_stop(finished, nothing, "d"), 0);

        call_host_stop(&bench->host);
        assert_int_equal(posts_of(stopped, "b"), 1);
        assert_null(cancelled->ring.posts);
        assert_null(finished->ring.posts);
        assert_int_equal(quoit_call_at_stop(late, nothing, "e"), 0); /* at once */
        assert_int_equal(posts_of(late, "e"), 1);
        quoit_call_finish(stopped, QUOIT_OK, NULL);
        quoit_call_finish(late, QUOIT_OK, NULL);
        for (unsigned i = 0; i < 4; i++) {
                struct quoit_call *call =
                        ((struct quoit_call *[]){ stopped, cancelled, finished, late })[i];

                call_set_state(call, CALL_DONE);
                bench_close(call);
        }
        bench_free(bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_the_order_of_time),
                cmocka_unit_test(test_a_finish_drops_them),
                cmocka_unit_test(test_a_cancellation_hastens_them),
                cmocka_unit_test(test_at_stop),
        };

        return cmocka_run_group_tests_name("call/later", tests, NULL, NULL);
}
