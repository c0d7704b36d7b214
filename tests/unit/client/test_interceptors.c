/* SPDX-License-Identifier: MIT */

/* What a channel's interceptors see of its calls, and may do to them. */

#include "seen.h"

#include <errno.h>

/* ---- seeing ---- */

static void test_order(void **state)
{
        struct told told = { .size = 300 };
        struct stage stage;

        (void)state;
        seen = (struct seen){ 0 };
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        intercept(&stage, &observer, "b");
        told_call(&stage, &told);
        WAIT(ends() == 2);
        assert_string_equal(told.text, "OK");
        assert_string_equal(seen.text,
                "start a, start b, sent a, sent b, headers a, headers b, received a, received b, "
                "end b, end a");
        assert_int_equal(seen.summary.status, QUOIT_OK);
        assert_int_equal(seen.summary.messages_sent, 1);
        assert_int_equal(seen.summary.messages_received, 1);
        assert_int_equal(seen.summary.bytes_sent, seen.sent_size);
        assert_int_equal(seen.summary.bytes_received, seen.received_size);
        assert_true(seen.received_size > 300);
        assert_true(seen.summary.duration_ns > 0 && seen.summary.duration_ns < 60 * SECOND);
        assert_int_equal(quoit_channel_intercept(stage.channel, &observer, "late"), -EBUSY);
        stage_deinit(&stage);
}

static void test_kinds(void **state)
{
        static const quoit_method_kind kinds[] = { QUOIT_UNARY, QUOIT_SERVER_STREAMING,
                QUOIT_CLIENT_STREAMING, QUOIT_BIDI };
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
                struct told told = { .kind = kinds[i], .asks = 3, .count = 5, .size = 10 };
                bool sends_many = kinds[i] == QUOIT_CLIENT_STREAMING || kinds[i] == QUOIT_BIDI;

                seen = (struct seen){ 0 };
                told_call(&stage, &told);
                WAIT(ends() == 1);
                assert_string_equal(told.text, "OK");
                assert_int_equal(seen.summary.messages_sent, sends_many ? 3 : 1);
                assert_int_equal(seen.summary.messages_received, told.messages);
        }
        stage_deinit(&stage);
}

/* Threads that wait have messages as bytes. */
static void test_blocking(void **state)
{
        struct stage stage;
        quoit_error error;

        (void)state;
        seen = (struct seen){ 0 };
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, &error), QUOIT_OK);
        WAIT(ends() == 1);
        assert_string_equal(seen.text, "start a, sent a, headers a, received a, end a");
        assert_int_equal(seen.summary.messages_received, 1);
        stage_deinit(&stage);
}

/* An unread reply is dropped, and so is what no interceptor may see: an end of each call is seen all the same. */
static void test_failures(void **state)
{
        struct told fails = { .act = SCRIPT_FAIL }, cancelled = { .act = SCRIPT_HOLD };
        struct stage stage;

        (void)state;
        seen = (struct seen){ 0 };
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        told_call(&stage, &fails);
        WAIT(ends() == 1);
        assert_string_equal(seen.text, "start a, sent a, end a");
        assert_int_equal(seen.summary.status, QUOIT_NOT_FOUND);
        seen = (struct seen){ 0 };
        cancelled.stage = &stage;
        stage_run(&stage, told_start, &cancelled);
        stage.channel = quoit_channel_free(stage.channel);
        told_wait(&cancelled);
        WAIT(ends() == 1);
        assert_int_equal(seen.summary.status, QUOIT_CANCELLED);
        stage_deinit(&stage);
}

static void test_limit(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        for (unsigned i = 0; i < QUOIT_CLIENT_INTERCEPTORS_MAX; i++)
                intercept(&stage, &attempts_observer, NULL);
        assert_int_equal(quoit_channel_intercept(stage.channel, &attempts_observer, NULL), -E2BIG);
        stage_deinit(&stage);
}

static void test_target(void **state)
{
        static const char *const pairs[][2] = { { "host:1", "dns:///host:1" },
                { "127.0.0.1:2", "dns:///127.0.0.1:2" }, { "dns:///host", "dns:///host" },
                { "ipv4:127.0.0.1:3", "ipv4:127.0.0.1:3" }, { "unix:/x", "unix:/x" } };
        struct stage stage;

        (void)state;
        stage_init(&stage, NULL);
        for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
                stage_open(&stage, pairs[i][0]);
                assert_string_equal(quoit_channel_target(stage.channel), pairs[i][1]);
                assert_int_equal(quoit_channel_rings(stage.channel), 1);
                stage.channel = quoit_channel_free(stage.channel);
        }
        stage_deinit(&stage);
}

/* ---- metadata and time ---- */

static void change_metadata(quoit_outcall *call, void *user)
{
        const quoit_metadata field = { "x-test", upb_StringView_FromString(user) };
        const quoit_metadata bad = { "grpc-timeout", upb_StringView_FromString("1S") };
        upb_StringView value;

        assert_true(quoit_outcall_metadata(call, "x-test", &value));
        assert_true(upb_StringView_IsEqual(value, upb_StringView_FromString("callers")));
        assert_false(quoit_outcall_metadata(call, "x-other", &value));
        assert_int_equal(quoit_outcall_set_metadata(call, &bad), -EINVAL);
        assert_int_equal(quoit_outcall_add_metadata(call, &field), 0);
        assert_int_equal(quoit_outcall_set_metadata(call, &field), 0);
        assert_true(quoit_outcall_metadata(call, "x-test", &value));
        assert_true(upb_StringView_IsEqual(value, upb_StringView_FromString(user)));
}

/* The server sends all of it back: the first value is the interceptor's, so the caller's is gone. */
static void test_metadata(void **state)
{
        static const quoit_client_interceptor interceptor = { .on_start = change_metadata };
        const quoit_metadata callers[] = { { "x-test", upb_StringView_FromString("callers") },
                { "x-more", upb_StringView_FromString("more") },
                { "x-test", upb_StringView_FromString("again") } };
        const quoit_call_options options = { .metadata = callers, .metadata_count = 3 };
        struct told told = { .act = SCRIPT_METADATA, .options = &options };
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        intercept(&stage, &interceptor, "interceptor's");
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_string_equal(told.trailer, "interceptor's");
        stage_deinit(&stage);
}

static void shorten(quoit_outcall *call, void *user)
{
        (void)user;
        assert_int_equal(quoit_outcall_set_timeout(call, 30), 0);
        assert_int_equal(quoit_outcall_set_timeout(call, 1000000), 0); /* not longer */
}

static void test_timeout(void **state)
{
        static const quoit_client_interceptor interceptor = { .on_start = shorten };
        const quoit_call_options options = { .timeout_ms = 100000 };
        struct told patient = { .act = SCRIPT_HOLD, .options = &options };
        struct told endless = { .act = SCRIPT_HOLD };
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        intercept(&stage, &interceptor, NULL);
        told_call(&stage, &patient);
        assert_int_equal(patient.status, QUOIT_DEADLINE_EXCEEDED);
        told_call(&stage, &endless);
        assert_int_equal(endless.status, QUOIT_DEADLINE_EXCEEDED);
        stage_deinit(&stage);
}

/* ---- refusing ---- */

static void refuse(quoit_outcall *call, void *user)
{
        quoit_outcall_finish(call, QUOIT_NOT_FOUND, user);
}

static void test_refusal(void **state)
{
        static const quoit_client_interceptor interceptor = { .on_start = refuse };
        struct told told = { 0 };
        struct stage stage;
        quoit_error error;

        (void)state;
        seen = (struct seen){ 0 };
        stage_begin(&stage);
        intercept(&stage, &observer, "a");
        intercept(&stage, &interceptor, "not today");
        intercept(&stage, &observer, "b");
        told_call(&stage, &told);
        WAIT(ends() == 2);
        assert_string_equal(told.text, "NOT_FOUND: not today");
        assert_string_equal(seen.text, "start a, unseen b, end a");
        assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, &error), QUOIT_NOT_FOUND);
        assert_int_equal(stage.servers[0].script.started, 0);
        stage_deinit(&stage);
}

static void refuse_message(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)info;
        (void)user;
        quoit_outcall_finish(call, QUOIT_OK, "not this one"); /* which is no failure */
}

static void refuse_headers(quoit_outcall *call, void *user)
{
        (void)user;
        quoit_outcall_finish(call, QUOIT_ABORTED, NULL);
}

/* Where it ends what comes the caller does not get that. */
static void test_refusal_of_what_comes(void **state)
{
        static const quoit_client_interceptor of_message = { .on_received = refuse_message };
        static const quoit_client_interceptor of_sent = { .on_sent = refuse_message };
        static const quoit_client_interceptor of_headers = { .on_headers = refuse_headers };
        static const quoit_client_interceptor *const all[] = { &of_message, &of_sent, &of_headers };
        static const quoit_method_kind kinds[] = { QUOIT_UNARY, QUOIT_BIDI };

        (void)state;
        for (size_t i = 0; i < 6; i++) {
                struct told told = { .kind = kinds[i % 2], .count = 3, .size = 10 };
                struct stage stage;
                quoit_error error;

                stage_begin(&stage);
                intercept(&stage, all[i / 2], NULL);
                told_call(&stage, &told);
                assert_string_equal(told.text, i / 2 == 2 ? "ABORTED" : "UNKNOWN: not this one");
                assert_int_equal(told.messages, 0);
                assert_int_equal(told.headers, i / 2 == 0);
                assert_int_not_equal(call_blocking(stage.channel, SCRIPT_ANSWER, &error), QUOIT_OK);
                stage_deinit(&stage);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_blocking),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_target),
                cmocka_unit_test(test_metadata),
                cmocka_unit_test(test_timeout),
                cmocka_unit_test(test_refusal),
                cmocka_unit_test(test_refusal_of_what_comes),
        };

        return RUN_ON_BOTH_ENGINES("client/interceptors", tests);
}
