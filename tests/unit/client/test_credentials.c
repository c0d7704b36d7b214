/* SPDX-License-Identifier: MIT */

/* Call credentials: what is sent, who is asked and when, and what becomes of calls that wait for an answer. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>

#include "pki.h"

/* ---- a plugin that a test steers ---- */

enum manner {
        ANSWERS, /* at once, "x-token: NUMBER", counted from 1 */
        HOLDS, /* until the test says so */
        FAILS, /* with the status, but for the first one that it is told to answer */
        CANCELS, /* the call that it is for */
};

struct maker {
        enum manner manner;
        quoit_status status;
        const quoit_metadata *fields; /* in place of x-token */
        atomic_uint asked, frees;
        quoit_credentials_request *_Atomic held[8];
        unsigned failures; /* that are left, with FAILS; then it answers */
        char url[128], method[32];
        struct told *told;
};

static void answer(quoit_credentials_request *request, const char *name, const char *value)
{
        const quoit_metadata field = { name, upb_StringView_FromString(value) };

        quoit_credentials_request_answer(request, &field, 1);
}

static void on_request(quoit_credentials_request *request, void *user)
{
        struct maker *maker = user;
        unsigned number = atomic_fetch_add(&maker->asked, 1) + 1;
        char text[16];

        snprintf(text, sizeof(text), "%u", number);
        snprintf(maker->url, sizeof(maker->url), "%s", quoit_credentials_request_url(request));
        snprintf(maker->method, sizeof(maker->method), "%s",
                quoit_credentials_request_method(request));
        if (maker->manner == HOLDS) {
                atomic_store(&maker->held[number - 1], request);
        } else if (maker->manner == FAILS && maker->failures > 0) {
                maker->failures--;
                quoit_credentials_request_fail(request, maker->status, "no luck");
        } else if (maker->fields) {
                quoit_credentials_request_answer(request, maker->fields, 1);
        } else {
                if (maker->manner == CANCELS)
                        quoit_outcall_cancel(maker->told->call);
                answer(request, "x-token", text);
        }
}

static void on_free(void *user)
{
        struct maker *maker = user;

        atomic_fetch_add(&maker->frees, 1);
}

static quoit_call_credentials *credentials_of(struct maker *maker)
{
        static const quoit_credentials_plugin plugin = { .on_request = on_request,
                .on_free = on_free };
        quoit_call_credentials *credentials;

        assert_int_equal(quoit_call_credentials_new(&plugin, maker, &credentials), 0);
        return credentials;
}

/* ---- calls that hear what the server was sent ---- */

struct heard {
        struct told told; /* first */
        char fields[512]; /* "NAME=VALUE " of those that tests send, in their order */
};

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct heard *heard = user;
        upb_StringView name, value;
        size_t cursor = 0;

        while (quoit_outcall_trailer_next(call, &cursor, &name, &value)) {
                size_t used = strlen(heard->fields);

                if (strncmp(name.data, "x-", 2) == 0 || strncmp(name.data, "auth", 4) == 0)
                        snprintf(heard->fields + used, sizeof(heard->fields) - used, "%.*s=%.*s ",
                                (int)name.size, name.data, (int)value.size, value.data);
        }
        told_handler.on_done(call, status, user);
}

static void start(void *arg)
{
        static const quoit_outcall_handler handler = { .on_done = on_done };
        struct told *told = arg;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);

        script_Ask_set_act(ask, told->act > 0 ? told->act : SCRIPT_METADATA);
        assert_int_equal(quoit_outcall_start(told->stage->channel, script_method(QUOIT_UNARY),
                                 told->options, &handler, told, &told->call),
                0);
        assert_int_equal(quoit_outcall_send(told->call, (const struct upb_Message *)ask), 0);
        upb_Arena_Free(arena);
}

static void begin(struct stage *stage, struct heard *heard, const quoit_call_options *options)
{
        heard->told.stage = stage;
        heard->told.options = options;
        stage_run(stage, start, &heard->told);
}

static void expect(struct stage *stage, const quoit_call_options *options, const char *fields)
{
        struct heard heard = { 0 };

        begin(stage, &heard, options);
        told_wait(&heard.told);
        assert_string_equal(heard.told.text, "OK");
        assert_string_equal(heard.fields, fields);
}

static void expect_failure(struct stage *stage, const quoit_call_options *options,
        quoit_status status, const char *words)
{
        struct heard heard = { 0 };

        begin(stage, &heard, options);
        told_wait(&heard.told);
        assert_int_equal(heard.told.status, status);
        if (!strstr(heard.told.text, words))
                fail_msg("'%s' is not in: %s", words, heard.told.text);
}

/* A server in the clear, and a channel that has @credentials, whose reference it takes, all the same. */
static void stage_with(struct stage *stage, quoit_call_credentials *credentials, const char *config,
        const quoit_client_limits *limits)
{
        const quoit_channel_options options = {
                .call_credentials = credentials,
                .insecure_credentials = true,
                .service_config = config,
        };

        stage_init(stage, limits);
        stage_serve(stage, 0, 0, NULL);
        stage_open_with(stage, stage->servers[0].target, &options);
        quoit_call_credentials_free(credentials);
}

/* ---- a token ---- */

static void test_bearer(void **state)
{
        quoit_call_credentials *credentials;
        struct stage stage;

        (void)state;
        assert_int_equal(quoit_call_credentials_new_bearer("one", &credentials), 0);
        stage_with(&stage, credentials, NULL, NULL);
        expect(&stage, NULL, "authorization=Bearer one ");
        expect(&stage, NULL, "authorization=Bearer one ");
        assert_int_equal(quoit_call_credentials_set_bearer(credentials, "two"), 0);
        assert_int_equal(quoit_call_credentials_set_bearer(credentials, "not two"), -EINVAL);
        expect(&stage, NULL, "authorization=Bearer two ");
        stage_deinit(&stage);
}

static void test_bad_tokens(void **state)
{
        static char longer[20000];
        static const char *const tokens[] = { "", "a b", "a\n", "\x7f", "\xc3\xa9" };
        struct maker maker = { 0 };
        quoit_call_credentials *credentials = NULL;

        (void)state;
        for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
                assert_int_equal(
                        quoit_call_credentials_new_bearer(tokens[i], &credentials), -EINVAL);
        memset(longer, 'a', sizeof(longer) - 1);
        assert_int_equal(quoit_call_credentials_new_bearer(longer, &credentials), -E2BIG);
        assert_int_equal(
                quoit_call_credentials_new(&(quoit_credentials_plugin){ 0 }, NULL, &credentials),
                -EINVAL);
        assert_null(credentials);
        credentials = credentials_of(&maker);
        assert_int_equal(quoit_call_credentials_set_bearer(credentials, "one"), -EINVAL);
        assert_null(quoit_call_credentials_free(credentials));
        assert_int_equal(maker.frees, 1);
        assert_null(quoit_call_credentials_free(NULL));
}

/* The call's own metadata, the channel's, the call's. */
static void test_both(void **state)
{
        const quoit_metadata own = { "x-own", upb_StringView_FromString("0") };
        struct maker maker = { 0 };
        quoit_call_credentials *credentials;
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), NULL, NULL);
        assert_int_equal(quoit_call_credentials_new_bearer("one", &credentials), 0);
        expect(&stage,
                &(quoit_call_options){
                        .credentials = credentials, .metadata = &own, .metadata_count = 1 },
                "x-own=0 x-token=1 authorization=Bearer one ");
        expect(&stage, NULL, "x-token=2 ");
        quoit_call_credentials_free(credentials);
        stage_deinit(&stage);
        assert_int_equal(maker.frees, 1);
}

/* ---- where they may be sent ---- */

static void test_in_the_clear(void **state)
{
        struct maker maker = { 0 };
        quoit_call_credentials *credentials = credentials_of(&maker);
        const quoit_call_options options = { .credentials = credentials };
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        expect_failure(&stage, &options, QUOIT_UNAUTHENTICATED, "without TLS");
        expect(&stage, NULL, "");
        quoit_channel_free(stage.channel);
        stage_open_with(&stage, stage.servers[0].target,
                &(quoit_channel_options){ .call_credentials = credentials });
        expect_failure(&stage, NULL, QUOIT_UNAUTHENTICATED, "without TLS");
        quoit_channel_free(stage.channel);
        stage_open(&stage, "unix-abstract:quoit-nobody-is-here");
        expect_failure(&stage, &options, QUOIT_UNAVAILABLE, "ECONNREFUSED");
        quoit_channel_free(stage.channel);
        stage_open_with(&stage, "unix-abstract:quoit-nobody-is-here",
                &(quoit_channel_options){
                        .fallback_targets = (const char *const[]){ stage.servers[0].target },
                        .fallback_target_count = 1 });
        expect_failure(&stage, &options, QUOIT_UNAUTHENTICATED, "without TLS");
        stage_deinit(&stage);
        assert_int_equal(maker.asked, 0); /* as it was READY nowhere that they may go */
        quoit_call_credentials_free(credentials);
        assert_int_equal(maker.frees, 1);
}

static void test_by_tls(void **state)
{
        struct maker maker = { 0 };
        quoit_call_credentials *credentials = credentials_of(&maker);
        struct pki pki;
        quoit_channel_tls tls = { .server_name = "localhost" };
        quoit_channel_options options = { .tls = &tls, .call_credentials = credentials };
        struct stage stage;
        char url[64];

        (void)state;
        pki_init(&pki, "DNS:localhost");
        tls.ca_file = pki.certificate_file;
        stage_init(&stage, NULL);
        stage.tls = pki_rules(&pki, NULL);
        stage_serve(&stage, 0, 0, NULL);
        stage_open_with(&stage, stage.servers[0].target, &options);
        expect(&stage, NULL, "x-token=1 ");
        snprintf(url, sizeof(url), "https://127.0.0.1:%u/script.Script", stage.servers[0].port);
        assert_string_equal(maker.url, url);
        assert_string_equal(maker.method, "Unary");
        quoit_channel_free(stage.channel);
        options.authority = "api.example:443"; /* what an audience has by default */
        stage_open_with(&stage, stage.servers[0].target, &options);
        expect(&stage, NULL, "x-token=2 ");
        assert_string_equal(maker.url, "https://api.example/script.Script");
        quoit_call_credentials_free(credentials);
        stage_deinit(&stage);
        quoit_tls_free(stage.tls);
        pki_deinit(&pki);
        assert_int_equal(maker.frees, 1);
}

/* ---- later answers ---- */

/* From another thread than the ring's, which is this one. */
static void test_later(void **state)
{
        struct maker channels = { .manner = HOLDS }, calls = { .manner = HOLDS };
        quoit_call_credentials *credentials = credentials_of(&calls);
        const quoit_call_options options = { .credentials = credentials };
        struct heard heard = { 0 };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&channels), NULL, NULL);
        begin(&stage, &heard, &options);
        quoit_call_credentials_free(credentials); /* the call keeps it */
        WAIT(channels.held[0]);
        assert_int_equal(calls.asked, 0);
        assert_true(quoit_credentials_request_is_wanted(channels.held[0]));
        answer(channels.held[0], "x-a", "1");
        WAIT(calls.held[0]);
        assert_int_equal(stage_started(&stage, 0), 0);
        answer(calls.held[0], "x-b", "2");
        told_wait(&heard.told);
        assert_string_equal(heard.fields, "x-a=1 x-b=2 ");
        stage_deinit(&stage);
        assert_int_equal(channels.frees, 1);
        assert_int_equal(calls.frees, 1);
}

static void test_deadline_and_cancellation(void **state)
{
        struct maker maker = { 0 };
        struct heard late = { 0 }, cancelled = { 0 }, left = { 0 };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), NULL, NULL);
        expect(&stage, NULL,
                "x-token=1 "); /* it is READY, and a deadline passes for credentials alone */
        atomic_store(&maker.asked, 0);
        maker.manner = HOLDS;
        begin(&stage, &late, &(quoit_call_options){ .timeout_ms = 300 });
        told_wait(&late.told);
        assert_int_equal(late.told.status, QUOIT_DEADLINE_EXCEEDED);
        assert_non_null(strstr(late.told.text, "waited for its credentials"));
        assert_false(quoit_credentials_request_is_wanted(maker.held[0]));
        begin(&stage, &cancelled, NULL);
        WAIT(maker.held[1]);
        stage_run(&stage, told_cancel, &cancelled.told);
        told_wait(&cancelled.told);
        assert_int_equal(cancelled.told.status, QUOIT_CANCELLED);
        answer(maker.held[0], "x-a", "1");
        quoit_credentials_request_fail(maker.held[1], QUOIT_UNAVAILABLE, NULL);
        begin(&stage, &left, NULL);
        WAIT(maker.held[2]);
        stage_deinit(&stage);
        assert_int_equal(left.told.status, QUOIT_CANCELLED);
        /* the client is gone */
        assert_false(quoit_credentials_request_is_wanted(maker.held[2]));
        assert_int_equal(maker.frees, 0);
        answer(maker.held[2], "x-a", "1");
        assert_int_equal(maker.frees, 1);
}

static void test_cancelled_by_the_plugin(void **state)
{
        struct maker maker = { .manner = CANCELS };
        struct heard heard = { 0 };
        struct stage stage;

        (void)state;
        maker.told = &heard.told;
        stage_with(&stage, credentials_of(&maker), NULL, NULL);
        begin(&stage, &heard, NULL);
        told_wait(&heard.told);
        assert_int_equal(heard.told.status, QUOIT_CANCELLED);
        assert_int_equal(stage_started(&stage, 0), 0);
        stage_deinit(&stage);
}

static void test_limit(void **state)
{
        struct maker maker = { .manner = HOLDS };
        struct heard heard[3] = { 0 };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), NULL,
                &(quoit_client_limits){ .calls_queued_max = 2 });
        for (unsigned i = 0; i < 2; i++) {
                begin(&stage, &heard[i], NULL);
                WAIT(maker.held[i]);
        }
        begin(&stage, &heard[2], NULL);
        told_wait(&heard[2].told);
        assert_int_equal(heard[2].told.status, QUOIT_RESOURCE_EXHAUSTED);
        for (unsigned i = 0; i < 2; i++)
                answer(maker.held[i], "x-a", "1");
        for (unsigned i = 0; i < 2; i++) {
                told_wait(&heard[i].told);
                assert_int_equal(heard[i].told.status, QUOIT_OK);
        }
        stage_deinit(&stage);
}

/* ---- failures ---- */

static void test_statuses(void **state)
{
        static const struct {
                quoit_status said, status;
                const char *words;
        } cases[] = {
                { QUOIT_OK, QUOIT_UNAUTHENTICATED, "the call credentials failed: no luck" },
                { QUOIT_UNAUTHENTICATED, QUOIT_UNAUTHENTICATED, "no luck" },
                { QUOIT_UNAVAILABLE, QUOIT_UNAVAILABLE, "no luck" },
                { QUOIT_NOT_FOUND, QUOIT_INTERNAL, "NOT_FOUND: no luck" },
                { QUOIT_DATA_LOSS, QUOIT_INTERNAL, "DATA_LOSS: no luck" },
                { (quoit_status)99, QUOIT_INTERNAL, "no luck" },
        };
        struct maker maker = { .manner = FAILS };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), NULL, NULL);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                maker.status = cases[i].said;
                maker.failures = 1;
                expect_failure(&stage, NULL, cases[i].status, cases[i].words);
        }
        stage_deinit(&stage);
        assert_int_equal(stage.servers[0].script.started, 0);
}

static void test_fields_that_may_not_be_sent(void **state)
{
        static char longer[20000];
        static const char *const names[] = { ":path", "grpc-timeout", "grpc-previous-rpc-attempts",
                "grpc-tags-bin", "te", "content-type", "X-Upper", "", "a b" };
        quoit_metadata field = { "x-a", upb_StringView_FromString("1\n") };
        struct maker maker = { .fields = &field };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), NULL, NULL);
        expect_failure(&stage, NULL, QUOIT_INTERNAL, "\"x-a\" that may not be sent");
        field.value = upb_StringView_FromString("1");
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                field.name = names[i];
                expect_failure(&stage, NULL, QUOIT_INTERNAL, "may not be sent");
        }
        memset(longer, 'a', sizeof(longer) - 1);
        field = (quoit_metadata){ "x-a", upb_StringView_FromString(longer) };
        expect_failure(&stage, NULL, QUOIT_INTERNAL, "metadata_out_bytes_max");
        field.value = upb_StringView_FromString("1");
        expect(&stage, NULL, "x-a=1 ");
        stage_deinit(&stage);
}

/* ---- attempts ---- */

#define CONFIG(policy) "{\"methodConfig\": [{\"name\": [{}], " policy "}]}"
#define RETRY                                                                                      \
        CONFIG("\"retryPolicy\": {\"maxAttempts\": 3, \"initialBackoff\": \"0.01s\", "             \
               "\"maxBackoff\": \"0.01s\", \"backoffMultiplier\": 1, "                             \
               "\"retryableStatusCodes\": [\"NOT_FOUND\", \"UNAVAILABLE\"]}")
#define HEDGE                                                                                      \
        CONFIG("\"hedgingPolicy\": {\"maxAttempts\": 3, \"hedgingDelay\": \"10s\", "               \
               "\"nonFatalStatusCodes\": [\"NOT_FOUND\"]}")

/* Each has its own. */
static void test_attempts(void **state)
{
        static const char *const configs[] = { RETRY, HEDGE };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct maker maker = { 0 };
                struct heard heard = { .told.act = SCRIPT_FAIL };
                struct stage stage;

                stage_with(&stage, credentials_of(&maker), configs[i], NULL);
                begin(&stage, &heard, NULL);
                told_wait(&heard.told);
                assert_int_equal(heard.told.status, QUOIT_NOT_FOUND);
                assert_int_equal(maker.asked, 3);
                stage_deinit(&stage);
                assert_int_equal(stage.servers[0].script.started, 3);
                assert_int_equal(maker.frees, 1);
        }
}

static void test_failed_credentials_are_tried_again(void **state)
{
        struct maker maker = { .manner = FAILS, .status = QUOIT_UNAVAILABLE, .failures = 2 };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), RETRY, NULL);
        expect(&stage, NULL, "x-token=3 ");
        maker.failures = 3;
        expect_failure(&stage, NULL, QUOIT_UNAVAILABLE, "no luck");
        assert_int_equal(maker.asked, 6);
        stage_deinit(&stage);
        assert_int_equal(stage.servers[0].script.started, 1);
}

/* A late answer that is a failure; an attempt that is dropped while it waits. */
static void test_late_attempts(void **state)
{
        struct maker maker = { .manner = HOLDS };
        struct heard heard = { 0 };
        struct stage stage;

        (void)state;
        stage_with(&stage, credentials_of(&maker), RETRY, NULL);
        begin(&stage, &heard, NULL);
        WAIT(maker.held[0]);
        quoit_credentials_request_fail(maker.held[0], QUOIT_UNAVAILABLE, NULL);
        WAIT(maker.held[1]);
        answer(maker.held[1], "x-a", "2");
        told_wait(&heard.told);
        assert_string_equal(heard.fields, "x-a=2 ");
        stage_deinit(&stage);
}

/* A balancer is asked once a call: it would count the same call twice, and one of two servers would have all. */
static void test_balancing(void **state)
{
        static const quoit_load_balancing balancing = { .policy = "round_robin" };
        struct maker maker = { 0 };
        quoit_call_credentials *credentials = credentials_of(&maker);
        struct heard heard[8] = { 0 };
        struct stage stage;
        char target[80];
        size_t before;

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, NULL);
        stage_serve(&stage, 1, 0, NULL);
        snprintf(target, sizeof(target), "ipv4:%s,%s", stage.servers[0].target,
                stage.servers[1].target);
        stage_open_with(&stage, target,
                &(quoit_channel_options){ .load_balancing = &balancing,
                        .call_credentials = credentials,
                        .insecure_credentials = true });
        quoit_call_credentials_free(credentials);
        while (stage_started(&stage, 0) == 0 ||
                stage_started(&stage, 1) == 0) { /* both are READY */
                struct heard first = { 0 };

                begin(&stage, &first, NULL);
                told_wait(&first.told);
        }
        before = stage_started(&stage, 0);
        atomic_store(&maker.asked, 0);
        maker.manner = HOLDS;
        for (unsigned i = 0; i < 8; i++) {
                begin(&stage, &heard[i], NULL);
                WAIT(maker.held[i]);
                answer(maker.held[i], "x-a", "1");
                told_wait(&heard[i].told);
        }
        assert_int_equal(stage_started(&stage, 0) - before, 4);
        stage_deinit(&stage);
}

/* The program has freed them before the ring begins the call. */
static void test_blocking_stream(void **state)
{
        struct maker maker = { 0 };
        quoit_call_credentials *credentials = credentials_of(&maker);
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream;
        const struct upb_Message *reply;
        struct stage stage;

        (void)state;
        stage_with(&stage, NULL, NULL, NULL);
        stream = quoit_stream_open(stage.channel, script_method(QUOIT_UNARY),
                (const struct upb_Message *)script_Ask_new(arena),
                &(quoit_call_options){ .credentials = credentials });
        quoit_call_credentials_free(credentials);
        assert_true(quoit_stream_read(stream, arena, &reply));
        assert_int_equal(quoit_stream_finish(stream, NULL), QUOIT_OK);
        upb_Arena_Free(arena);
        stage_deinit(&stage);
        assert_int_equal(maker.asked, 1);
        assert_int_equal(maker.frees, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bearer),
                cmocka_unit_test(test_bad_tokens),
                cmocka_unit_test(test_both),
                cmocka_unit_test(test_in_the_clear),
                cmocka_unit_test(test_by_tls),
                cmocka_unit_test(test_later),
                cmocka_unit_test(test_deadline_and_cancellation),
                cmocka_unit_test(test_cancelled_by_the_plugin),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_statuses),
                cmocka_unit_test(test_fields_that_may_not_be_sent),
                cmocka_unit_test(test_attempts),
                cmocka_unit_test(test_failed_credentials_are_tried_again),
                cmocka_unit_test(test_late_attempts),
                cmocka_unit_test(test_balancing),
                cmocka_unit_test(test_blocking_stream),
        };

        return RUN_ON_BOTH_ENGINES("client/credentials", tests);
}
