/* SPDX-License-Identifier: MIT */

/* Calls that an interceptor holds. */

#include "seen.h"

static void add_token(quoit_outcall *call, void *arg)
{
        const quoit_metadata field = { "x-test", upb_StringView_FromString("token") };

        (void)arg;
        /* the caller may have gone */
        assert_int_equal(quoit_outcall_set_metadata(call, &field), 0);
        quoit_outcall_proceed(call);
}

static void *fetch_token(void *call)
{
        usleep(2000);
        assert_int_equal(quoit_outcall_post(call, add_token, NULL), 0);
        return NULL;
}

static void hold_for_token(quoit_outcall *call, void *user)
{
        pthread_t thread;

        (void)user;
        quoit_outcall_hold(call);
        assert_int_equal(pthread_create(&thread, NULL, fetch_token, call), 0);
        assert_int_equal(pthread_detach(thread), 0);
}

static const quoit_client_interceptor token_fetcher = { .on_start = hold_for_token };

/* What is sent meanwhile waits; also where several attempts send it. */
static void test_hold(void **state)
{
        static const char *const configs[] = { "{}", HEDGING };

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct told unary = { .act = SCRIPT_METADATA };
                struct told stream = { .kind = QUOIT_BIDI, .asks = 5, .count = 1, .size = 10 };
                struct stage stage;
                quoit_error error;

                seen = (struct seen){ 0 };
                stage_begin_configured(&stage, NULL, configs[i]);
                intercept(&stage, &token_fetcher, NULL);
                intercept(&stage, &observer, "a");
                told_call(&stage, &unary);
                assert_string_equal(unary.text, "OK");
                assert_string_equal(unary.trailer, "token");
                WAIT(ends() == 1);
                assert_string_equal(seen.text, "sent a, start a, headers a, received a, end a");
                told_call(&stage, &stream);
                assert_string_equal(stream.text, "OK");
                assert_int_equal(stage.servers[0].script.messages, 5);
                assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, &error), QUOIT_OK);
                stage_deinit(&stage);
        }
}

static quoit_outcall *held; /* by the keeper, the last one */

static void keep(quoit_outcall *call, void *user)
{
        (void)user;
        quoit_outcall_hold(call);
        held = call;
}

static void let_go(quoit_outcall *call, void *arg)
{
        const quoit_metadata field = { "x-test", upb_StringView_FromString("late") };

        (void)arg;
        assert_int_equal(ends(), 0);
        assert_int_equal(quoit_outcall_set_metadata(call, &field), 0);
        quoit_outcall_proceed(call);
}

static const quoit_client_interceptor keeper = { .on_start = keep };

/* Its caller hears at once of an end, and the holder has the call as long as it wants. */
static void test_end_while_held(void **state)
{
        const quoit_call_options options = { .timeout_ms = 20 };
        struct told late = { .options = &options }, cancelled = { 0 };
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        intercept(&stage, &keeper, NULL);
        seen = (struct seen){ 0 };
        told_call(&stage, &late);
        assert_string_equal(late.text,
                "DEADLINE_EXCEEDED: deadline exceeded while an interceptor held the call");
        assert_int_equal(quoit_outcall_post(held, let_go, NULL), 0);
        WAIT(ends() == 1);
        seen = (struct seen){ 0 };
        cancelled.stage = &stage;
        stage_run(&stage, told_start, &cancelled);
        stage_run(&stage, told_cancel, &cancelled);
        told_wait(&cancelled);
        usleep(5000);
        assert_int_equal(quoit_outcall_post(held, let_go, NULL), 0);
        WAIT(ends() == 1);
        assert_int_equal(seen.summary.status, QUOIT_CANCELLED);
        stage_deinit(&stage);
        assert_int_equal(stage.servers[0].script.started, 0);
}

static void *let_go_late(void *call)
{
        usleep(100000);
        assert_int_equal(quoit_outcall_post(call, let_go, NULL), 0);
        return NULL;
}

/* So does a client that is freed. */
static void test_free_while_held(void **state)
{
        struct told told = { 0 };
        struct stage stage;
        pthread_t thread;

        (void)state;
        seen = (struct seen){ 0 };
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        intercept(&stage, &keeper, NULL);
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        assert_int_equal(pthread_create(&thread, NULL, let_go_late, held), 0);
        stage_deinit(&stage);
        assert_int_equal(ends(), 1);
        assert_int_equal(told.dones, 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

static void hold_in_vain(quoit_outcall *call, void *user)
{
        quoit_outcall_hold(call);
        if (user)
                quoit_outcall_finish(call, QUOIT_UNAUTHENTICATED, user);
        else
                quoit_outcall_proceed(call);
}

/* It ends within the function that began it. */
static void test_short_hold(void **state)
{
        static const quoit_client_interceptor interceptor = { .on_start = hold_in_vain };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct told told = { 0 };
                struct stage stage;

                seen = (struct seen){ 0 };
                stage_begin(&stage);
                intercept(&stage, &interceptor, i == 0 ? NULL : "no token");
                intercept(&stage, &observer, "a");
                told_call(&stage, &told);
                WAIT(ends() == 1);
                assert_string_equal(told.text, i == 0 ? "OK" : "UNAUTHENTICATED: no token");
                stage_deinit(&stage);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hold),
                cmocka_unit_test(test_end_while_held),
                cmocka_unit_test(test_free_while_held),
                cmocka_unit_test(test_short_hold),
        };

        return RUN_ON_BOTH_ENGINES("client/interceptors_hold", tests);
}
