/* SPDX-License-Identifier: MIT */

/* A client on a server's rings: what its calls have of the ones that they are made for. */

#include "front.h"

/* The answer is the other service's, nothing changes threads, and both rings have calls. */
static void test_no_hop(void **state)
{
        struct stage stage;
        struct front front;

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        for (unsigned i = 0; i < 2 * FRONT_RINGS; i++) {
                struct told told = { .size = 100 + i };

                stage_open(&stage, front.target);
                for (unsigned j = 0; j < 3; j++) {
                        told = (struct told){ .size = 100 + i };
                        told_call(&stage, &told);
                        assert_string_equal(told.text, "OK");
                        assert_int_equal(told.bytes, 100 + i);
                        WAIT(atomic_load(&front.outcalls_over) == 3 * i + j + 1);
                        assert_string_equal(front.text, "OK");
                }
        }
        assert_int_equal(atomic_load(&front.outcalls), 6 * FRONT_RINGS);
        assert_non_null(front.threads[1]);
        front_deinit(&front, &stage);
}

static void test_failure(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_FAIL };

        (void)state;
        front_init(&front, &stage, false);
        front_open(&front, &stage);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        front_deinit(&front, &stage);
}

/* ---- deadline and cancellation ---- */

/* The outcall names no time, and has its parent's, which here is the method's. The called server ends the call too. */
static void test_deadline(void **state)
{
        const quoit_method_options options = { .deadline_max_ms = 200 };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD };

        (void)state;
        front_init(&front, &stage, false);
        assert_int_equal(
                quoit_server_set_method(front.server, "/script.Script/Unary", &options), 0);
        front_open(&front, &stage);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(front.status, QUOIT_DEADLINE_EXCEEDED);
        WAIT(read_count(&stage.servers[0].script.cancels) == 1);
        front_deinit(&front, &stage);
}

static void test_cancel(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, false);
        front_open(&front, &stage);
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) == 1);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_string_equal(front.text, "CANCELLED: the call that this one was made for has ended");
        WAIT(read_count(&stage.servers[0].script.cancels) == 1);
        front_deinit(&front, &stage);
}

/* A handler that finishes without its outcall ends that. */
static void test_finish(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD };

        (void)state;
        front_init(&front, &stage, false);
        front.finishes_first = true;
        front_open(&front, &stage);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_ABORTED);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(front.status, QUOIT_CANCELLED);
        front_deinit(&front, &stage);
}

/* All attempts of a hedged outcall end with its parent, and it is told once. */
static void test_hedged(void **state)
{
        const quoit_channel_options options = {
                .service_config = "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": "
                                  "{\"maxAttempts\": 3, \"hedgingDelay\": \"0s\"}}]}"
        };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage }, good = { .size = 33 };

        (void)state;
        front_init(&front, &stage, false);
        quoit_channel_free(front.channel);
        assert_int_equal(
                quoit_channel_new(front.client, stage.servers[0].target, &options, &front.channel),
                0);
        front_open(&front, &stage);
        told_call(&stage, &good);
        assert_string_equal(good.text, "OK");
        assert_int_equal(good.bytes, 33);
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) >= 4);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_string_equal(front.text, "CANCELLED: the call that this one was made for has ended");
        WAIT(read_count(&stage.servers[0].script.held_count) == 0);
        front_deinit(&front, &stage);
}

/* ---- trace context ---- */

#define VIEW(text) { text, sizeof(text) - 1 }
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define OWN "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"

static void test_trace(void **state)
{
        static const quoit_metadata metadata[] = {
                { "traceparent", VIEW(PARENT) },
                { "tracestate", VIEW("a=1") },
                { "x-other", VIEW("stays here") },
                { "tracestate", VIEW("b=2") },
                { "grpc-trace-bin", VIEW("\1\2") },
        };
        static const quoit_metadata own = { "traceparent", VIEW(OWN) };
        static const quoit_metadata own_trace[] = {
                { "tracestate", VIEW("c=3") },
                { "traceparent", VIEW(OWN) },
                { "x-other", VIEW("stays here too") },
        };
        const quoit_call_options options = { .metadata = metadata, .metadata_count = 5 };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_METADATA, .options = &options };

        (void)state;
        front_init(&front, &stage, false);
        front_open(&front, &stage);
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_string_equal(front.trace,
                "traceparent=" PARENT " tracestate=a=1 tracestate=b=2 grpc-trace-bin=\1\2 ");
        front.metadata = &own;
        front.metadata_count = 1;
        told = (struct told){ .act = SCRIPT_METADATA, .options = &options };
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_string_equal(front.trace,
                "traceparent=" OWN " tracestate=a=1 tracestate=b=2 grpc-trace-bin=\1\2 ");
        front.metadata_count = 0;
        front.own_trace = own_trace;
        front.own_trace_count = 3;
        told = (struct told){ .act = SCRIPT_METADATA, .options = &options };
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 3);
        assert_string_equal(front.trace, "traceparent=" OWN " tracestate=c=3 ");
        front.has_no_parent = true;
        told = (struct told){ .act = SCRIPT_METADATA, .options = &options };
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 4);
        assert_string_equal(front.trace, "");
        front_deinit(&front, &stage);
}

/* ---- workers ---- */

static void test_worker(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .size = 7 }, held = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, true);
        front_open(&front, &stage);
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(told.bytes, 7);
        stage_run(&stage, told_start, &held);
        WAIT(stage_started(&stage, 0) == 2);
        stage_run(&stage, told_cancel, &held);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_int_equal(front.status, QUOIT_CANCELLED);
        atomic_store(&front.outcalls, 2);
        front_deinit(&front, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_hop),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_finish),
                cmocka_unit_test(test_hedged),
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_worker),
        };

        return RUN_ON_BOTH_ENGINES("client/lent", tests);
}
