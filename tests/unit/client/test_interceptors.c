/* SPDX-License-Identifier: MIT */

/* What a channel's interceptors see of its calls, and may do to them. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>

/* ---- what was seen, in order ---- */

struct seen {
        char text[2000];
        unsigned ends; /* of the observer below */
        unsigned attempts, attempt_ends;
        quoit_outcall_summary summary; /* the last one */
        quoit_attempt attempt; /* the last one that ended */
        bool has_address; /* it had */
        size_t sent_size, received_size;
        quoit_outcall *held;
};

static struct seen seen;

static void note(const char *what, const char *who)
{
        size_t size = strlen(seen.text);

        snprintf(seen.text + size, sizeof(seen.text) - size, "%s%s %s", size > 0 ? ", " : "", what,
                who);
}

static void see_start(quoit_outcall *call, void *user)
{
        assert_non_null(quoit_outcall_method(call));
        assert_int_equal(quoit_outcall_attach(call, user, user), 0);
        note("start", user);
}

static void see_sent(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        seen.sent_size = info->size;
        assert_true(
                info->message ? info->type && !info->bytes.data : info->bytes.size == info->size);
        note("sent", user);
}

static void see_headers(quoit_outcall *call, void *user)
{
        const quoit_metadata late = { "x-test", upb_StringView_FromString("late") };

        assert_int_equal(quoit_outcall_add_metadata(call, &late), -EALREADY);
        assert_int_equal(quoit_outcall_set_timeout(call, 1), -EALREADY);
        quoit_outcall_hold(call); /* which has started */
        note("headers", user);
}

static void see_received(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        seen.received_size = info->size;
        assert_true(
                info->message ? info->type && !info->bytes.data : info->bytes.size == info->size);
        note("received", user);
}

static void see_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        assert_ptr_equal(quoit_outcall_attachment(call, user), summary->start_seen ? user : NULL);
        seen.summary = *summary;
        note(summary->start_seen ? "end" : "unseen", user);
        __atomic_fetch_add(&seen.ends, 1, __ATOMIC_RELEASE);
}

static void see_attempt(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        assert_true(attempt->started_ns > 0);
        seen.attempts++;
}

static void see_attempt_end(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        assert_int_equal(seen.ends, 0);
        seen.attempt = *attempt;
        seen.has_address = attempt->address;
        seen.attempt_ends++;
}

static const quoit_client_interceptor observer = { .on_start = see_start,
        .on_sent = see_sent,
        .on_headers = see_headers,
        .on_received = see_received,
        .on_end = see_end };
static const quoit_client_interceptor attempts_observer = { .on_attempt = see_attempt,
        .on_attempt_end = see_attempt_end };

static void intercept(
        struct stage *stage, const quoit_client_interceptor *interceptor, const char *name)
{
        assert_int_equal(quoit_channel_intercept(stage->channel, interceptor, (char *)name), 0);
}

static unsigned ends(void)
{
        return __atomic_load_n(&seen.ends, __ATOMIC_ACQUIRE);
}

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

/* ---- holding ---- */

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

#define HEDGING                                                                                    \
        "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": {\"maxAttempts\": 3, "            \
        "\"hedgingDelay\": \"100s\", \"nonFatalStatusCodes\": [\"NOT_FOUND\"]}}]}"

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

static void keep(quoit_outcall *call, void *user)
{
        (void)user;
        quoit_outcall_hold(call);
        seen.held = call;
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
        assert_int_equal(quoit_outcall_post(seen.held, let_go, NULL), 0);
        WAIT(ends() == 1);
        seen = (struct seen){ 0 };
        cancelled.stage = &stage;
        stage_run(&stage, told_start, &cancelled);
        stage_run(&stage, told_cancel, &cancelled);
        told_wait(&cancelled);
        usleep(5000);
        assert_int_equal(quoit_outcall_post(seen.held, let_go, NULL), 0);
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
        assert_int_equal(pthread_create(&thread, NULL, let_go_late, seen.held), 0);
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

/* ---- attempts ---- */

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
        WAIT(read_count(&stage.servers[0].script.started) == 3);
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
                cmocka_unit_test(test_hold),
                cmocka_unit_test(test_end_while_held),
                cmocka_unit_test(test_free_while_held),
                cmocka_unit_test(test_short_hold),
                cmocka_unit_test(test_one_attempt),
                cmocka_unit_test(test_retries),
                cmocka_unit_test(test_no_connection),
                cmocka_unit_test(test_hedges),
                cmocka_unit_test(test_losers),
        };

        return RUN_ON_BOTH_ENGINES("client/interceptors", tests);
}
