/* SPDX-License-Identifier: MIT */

/* What a channel's interceptors see of the attempts of its calls. */

#include "seen.h"

static void begin_observed(struct stage *stage, const char *config)
{
        seen = (struct seen){ 0 };
        stage_begin_configured(stage, NULL, config);
        intercept(stage, &observer, "a");
        intercept(stage, &attempts_observer, NULL);
}

static void test_one_attempt(void **state)
{
        struct told told = { .size = 50 };
        struct stage stage;

        (void)state;
        begin_observed(&stage, "{}");
        told_call(&stage, &told);
        WAIT(ends() == 1);
        assert_int_equal(seen.attempts, 1);
        assert_int_equal(seen.attempt_ends, 1);
        assert_int_equal(seen.attempt.kind, QUOIT_ATTEMPT_FIRST);
        assert_int_equal(seen.attempt.status, QUOIT_OK);
        assert_true(seen.has_address);
        assert_int_equal(seen.attempt.bytes_sent, seen.summary.bytes_sent);
        assert_int_equal(seen.attempt.bytes_received, seen.summary.bytes_received);
        assert_true(seen.attempt.duration_ns <= seen.summary.duration_ns + SECOND);
        assert_int_equal(seen.summary.retries, 0);
        assert_int_equal(seen.summary.retry_delay_ns, 0);
        stage_deinit(&stage);
}

/* A call is seen once, its attempts as often as there are. */
static void test_retries(void **state)
{
        struct told told = { .act = SCRIPT_FAIL };
        struct stage stage;

        (void)state;
        begin_observed(&stage,
                "{\"methodConfig\": [{\"name\": [{}], \"retryPolicy\": {\"maxAttempts\": 4, "
                "\"initialBackoff\": \"0.01s\", \"maxBackoff\": \"1s\", \"backoffMultiplier\": 1, "
                "\"retryableStatusCodes\": [\"NOT_FOUND\"]}}]}");
        told_call(&stage, &told);
        WAIT(ends() == 1);
        assert_string_equal(seen.text, "start a, sent a, end a");
        assert_int_equal(seen.attempts, 4);
        assert_int_equal(seen.attempt_ends, 4);
        assert_int_equal(seen.attempt.kind, QUOIT_ATTEMPT_RETRY);
        assert_int_equal(seen.attempt.status, QUOIT_NOT_FOUND);
        assert_int_equal(seen.attempt.bytes_sent, seen.sent_size);
        assert_int_equal(seen.summary.retries, 3);
        assert_int_equal(seen.summary.messages_sent, 1);
        assert_true(seen.summary.retry_delay_ns >= 3 * 8 * MS);
        assert_true(seen.summary.retry_delay_ns < seen.summary.duration_ns);
        stage_deinit(&stage);
}

static void test_no_connection(void **state)
{
        struct told told = { 0 };
        struct stage stage;

        (void)state;
        seen = (struct seen){ 0 };
        stage_init(&stage, NULL);
        stage_open(&stage, "unix:/nonexistent/socket");
        intercept(&stage, &observer, "a");
        intercept(&stage, &attempts_observer, NULL);
        told_call(&stage, &told);
        WAIT(ends() == 1);
        assert_int_equal(seen.attempts, 1);
        assert_int_equal(seen.attempt_ends, 1);
        assert_int_equal(seen.attempt.status, QUOIT_UNAVAILABLE);
        assert_false(seen.has_address);
        assert_int_equal(seen.attempt.bytes_sent, 0);
        assert_int_equal(seen.summary.messages_sent, 1);
        stage_deinit(&stage);
}

/* The end is seen after that of all attempts. */
static void test_hedges(void **state)
{
        struct told fails = { .act = SCRIPT_FAIL }, works = { .size = 10 };
        struct stage stage;

        (void)state;
        begin_observed(&stage, HEDGING);
        told_call(&stage, &fails);
        WAIT(ends() == 1);
        assert_int_equal(seen.attempts, 3);
        assert_int_equal(seen.attempt_ends, 3);
        assert_int_equal(seen.summary.hedges, 2);
        assert_int_equal(seen.summary.messages_sent, 1);
        assert_int_equal(seen.summary.status, QUOIT_NOT_FOUND);
        seen = (struct seen){ 0 };
        told_call(&stage, &works);
        WAIT(ends() == 1);
        assert_int_equal(seen.attempt_ends, 1);
        assert_int_equal(seen.attempt.kind, QUOIT_ATTEMPT_FIRST);
        assert_int_equal(seen.summary.hedges, 0);
        assert_int_equal(seen.summary.messages_received, 1);
        stage_deinit(&stage);
}

/* Losers are attempts that were cancelled, whatever the caller hears. */
static void test_losers(void **state)
{
        struct told told = { .act = SCRIPT_HOLD };
        struct stage stage;

        (void)state;
        begin_observed(&stage,
                "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": {\"maxAttempts\": 3, "
                "\"hedgingDelay\": \"0s\"}}]}");
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) == 3);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        WAIT(ends() == 1);
        assert_int_equal(seen.attempts, 3);
        assert_int_equal(seen.attempt_ends, 3);
        assert_int_equal(seen.attempt.status, QUOIT_CANCELLED);
        assert_int_equal(seen.attempt.bytes_sent, seen.sent_size);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_attempt),
                cmocka_unit_test(test_retries),
                cmocka_unit_test(test_no_connection),
                cmocka_unit_test(test_hedges),
                cmocka_unit_test(test_losers),
        };

        return RUN_ON_BOTH_ENGINES("client/interceptors_attempts", tests);
}
