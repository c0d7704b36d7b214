/* SPDX-License-Identifier: MIT */

/* What a channel's service config does to its calls. */

#include "stage.h"

#include <errno.h>

static void test_bad(void **state)
{
        const quoit_channel_options options = { .service_config = "{\"methodConfig\": 3}" };
        quoit_channel *channel = NULL;
        struct stage stage;
        quoit_error error = { 0 };

        (void)state;
        stage_init(&stage, NULL);
        assert_int_equal(
                quoit_channel_new(stage.client, "127.0.0.1:1", &options, &channel), -EINVAL);
        assert_null(channel);
        assert_int_equal(quoit_service_config_check(options.service_config, &error), -EINVAL);
        assert_int_equal(error.status, QUOIT_INVALID_ARGUMENT);
        assert_string_equal(
                quoit_error_text(&error), "INVALID_ARGUMENT: methodConfig: an array is wanted");
        assert_int_equal(quoit_service_config_check(options.service_config, NULL), -EINVAL);
        assert_int_equal(quoit_service_config_check("{}", &error), 0);
        assert_null(quoit_client_free(stage.client));
}

/* The shorter of the two counts. */
static void test_timeout(void **state)
{
        const quoit_call_options shorter = { .timeout_ms = 30 }, longer = { .timeout_ms = 60000 };
        const quoit_call_options *const options[] = { NULL, &longer, &shorter };
        static const uint64_t expected_ms[] = { 100, 100, 30 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{\"service\": \"script.Script\", "
                "\"method\": \"Unary\"}], \"timeout\": \"0.1s\"}]}");
        for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
                struct told told = { .act = SCRIPT_HOLD, .options = options[i] };
                uint64_t began_ns = clock_ns();

                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
                assert_true(clock_ns() - began_ns >= expected_ms[i] * MS);
                assert_true(i < 2 || clock_ns() - began_ns < 100 * MS);
        }
        stage_deinit(&stage);
}

/* The call's own word is the last. */
static void test_wait_for_ready(void **state)
{
        const quoit_call_options options[] = { { .timeout_ms = 100 },
                { .timeout_ms = 100, .wait_for_ready = QUOIT_WAIT_FOR_READY },
                { .timeout_ms = 10000, .wait_for_ready = QUOIT_WAIT_NEVER } };
        static const quoit_status expected[][3] = {
                { QUOIT_DEADLINE_EXCEEDED, QUOIT_DEADLINE_EXCEEDED, QUOIT_UNAVAILABLE },
                { QUOIT_UNAVAILABLE, QUOIT_DEADLINE_EXCEEDED, QUOIT_UNAVAILABLE },
        };
        static const char *const configs[] = {
                "{\"methodConfig\": [{\"name\": [{}], \"waitForReady\": true}]}",
                "{\"methodConfig\": [{\"name\": [{}], \"waitForReady\": false}]}",
        };

        (void)state;
        for (size_t c = 0; c < 2; c++) {
                struct stage stage;

                stage_init(&stage, NULL);
                stage_open_with(&stage, "unix:/nonexistent/socket",
                        &(quoit_channel_options){ .service_config = configs[c] });
                for (size_t i = 0; i < 3; i++) {
                        struct told told = { .options = options + i };

                        told_call(&stage, &told);
                        assert_int_equal(told.status, expected[c][i]);
                }
                stage_deinit(&stage);
        }
}

static void send_large(void *arg)
{
        struct told *told = arg;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);

        script_Ask_set_payload(ask, upb_StringView_FromDataAndSize(told->text, 600));
        assert_int_equal(quoit_outcall_start(told->stage->channel, script_method(QUOIT_UNARY),
                                 told->options, &told_handler, told, &told->call),
                0);
        assert_int_equal(
                quoit_outcall_send(told->call, (const struct upb_Message *)ask), -EMSGSIZE);
        upb_Arena_Free(arena);
        quoit_outcall_cancel(told->call);
}

/* The smaller limit counts. */
static void test_message_limits(void **state)
{
        const quoit_call_options larger = { .message_receive_bytes_max = 5000 };
        const quoit_call_options smaller = { .message_receive_bytes_max = 500 };
        struct told fits = { .size = 900 }, over = { .size = 1100 };
        struct told over_too = { .size = 1100, .options = &larger };
        struct told over_own = { .size = 900, .options = &smaller }, out = { 0 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{\"service\": \"script.Script\"}], "
                "\"maxRequestMessageBytes\": 500, \"maxResponseMessageBytes\": 1000}]}");
        told_call(&stage, &fits);
        assert_string_equal(fits.text, "OK");
        told_call(&stage, &over);
        assert_int_equal(over.status, QUOIT_RESOURCE_EXHAUSTED);
        told_call(&stage, &over_too);
        assert_int_equal(over_too.status, QUOIT_RESOURCE_EXHAUSTED);
        told_call(&stage, &over_own);
        assert_int_equal(over_own.status, QUOIT_RESOURCE_EXHAUSTED);
        out.stage = &stage;
        stage_run(&stage, send_large, &out);
        told_wait(&out);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_timeout),
                cmocka_unit_test(test_wait_for_ready),
                cmocka_unit_test(test_message_limits),
        };

        return RUN_ON_BOTH_ENGINES("client/configured", tests);
}
