/* SPDX-License-Identifier: MIT */

/* Calls whose handlers go on after their end are logged: each once, in the order in which they ended. */

#include "harness.h"

#define MS UINT64_C(1000000)

static struct quoit_call *cancelled_call(struct bench *bench, uint64_t now_ms)
{
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        bench->ring.now_ns = now_ms * MS;
        call->ring.started = true;
        call_cancel(call, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        return call;
}

static void end(struct quoit_call *call)
{
        call_set_state(call, CALL_DONE);
        bench_close(call);
}

static void expire(struct bench *bench, uint64_t now_ms)
{
        bench->ring.now_ns = now_ms * MS;
        timers_expire(&bench->ring.timers, now_ms * MS);
}

static void test_each_once(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *first, *second, *third;

        (void)state;
        bench->limits.handler_end_ms = 1000;
        first = cancelled_call(bench, 0);
        second = cancelled_call(bench, 500);
        third = cancelled_call(bench, 600);
        expire(bench, 900);
        assert_int_equal(bench->overdue, 0);
        end(third);
        expire(bench, 1010);
        assert_int_equal(bench->overdue, 1);
        expire(bench, 1400);
        assert_int_equal(bench->overdue, 1);
        expire(bench, 1510);
        assert_int_equal(bench->overdue, 2);
        expire(bench, 100000);
        assert_int_equal(bench->overdue, 2);
        end(second);
        end(first);
        assert_true(list_is_empty(&bench->host.lingering.fresh));
        assert_true(list_is_empty(&bench->host.lingering.logged));
        bench_free(bench);
}

static void test_not_those_without_a_handler(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);

        (void)state;
        bench->limits.handler_end_ms = 1000;
        call_cancel(call, QUOIT_DEADLINE_EXCEEDED, "deadline exceeded");
        assert_int_equal(call->ring.state, CALL_DONE);
        expire(bench, 5000);
        assert_int_equal(bench->overdue, 0);
        bench_close(call);
        bench_free(bench);
}

static void test_never(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = cancelled_call(bench, 0); /* UINT32_MAX */

        (void)state;
        assert_int_equal(bench->ring.timers.count, 0);
        end(call);
        bench_free(bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_once),
                cmocka_unit_test(test_not_those_without_a_handler),
                cmocka_unit_test(test_never),
        };

        return cmocka_run_group_tests_name("call/lingering", tests, NULL, NULL);
}
