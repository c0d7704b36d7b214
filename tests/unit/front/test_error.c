/* SPDX-License-Identifier: MIT */

/* Errors in JSON: Connect's, and those of transcoded calls. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "codec/rpc_status.h"
#include "front/connect_error.h"
#include "front/json_codec.h"
#include "front/transcoding.h"
#include "shop.h"

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static void assert_text(struct text *text, const char *expected)
{
        assert_false(text->failed);
        text_add(text, "", 1);
        assert_string_equal(text->data, expected);
        text_deinit(text);
}

/* A call of a server that knows shop.proto. */
static void assert_spelled(
        const struct dialect_end *end, const char *connect, const char *transcoded)
{
        struct json_types types = { 0 };
        struct call_host host = { .json_types = &types };
        struct call_group group = { .host = &host };
        struct quoit_call call = { .exchange.group = &group };
        struct text text;

        json_types_init(&types, &shop_service, 1);
        text_init(&text);
        connect_error_add(&text, &call, end);
        assert_text(&text, connect);
        text_init(&text);
        transcoding_error_add(&text, &call, end);
        assert_text(&text, transcoded);
        json_types_deinit(&types);
}

static void test_messages(void **state)
{
        char text[5000], connect[6000], transcoded[6000];

        (void)state;
        assert_spelled(&(struct dialect_end){ .status = QUOIT_NOT_FOUND },
                "{\"code\":\"not_found\"}", "{\"code\":5,\"message\":\"\",\"details\":[]}");
        assert_spelled(
                &(struct dialect_end){ .status = 77, .text = "%c3%BC 100%25 \"", .text_size = 15 },
                "{\"code\":\"unknown\",\"message\":\"\xc3\xbc 100% \\\"\"}",
                "{\"code\":2,\"message\":\"\xc3\xbc 100% \\\"\",\"details\":[]}");
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        sprintf(connect, "{\"code\":\"aborted\",\"message\":\"%s\"}", text);
        sprintf(transcoded, "{\"code\":10,\"message\":\"%s\",\"details\":[]}", text);
        assert_spelled(
                &(struct dialect_end){
                        .status = QUOIT_ABORTED, .text = text, .text_size = sizeof(text) - 1 },
                connect, transcoded);
}

/* The end of a call whose trailers have @value for its details, behind another field. */
static void assert_details(
        const char *value, size_t size, const char *connect_details, const char *transcoded_details)
{
        struct field details = { NULL, RPC_STATUS_FIELD, strlen(RPC_STATUS_FIELD), value, size };
        struct field other = { &details, "x", 1, "y", 1 };
        struct fields trailers = { .first = &other, .last = &details, .count = 2 };
        struct dialect_end end = { .status = QUOIT_INVALID_ARGUMENT, .trailers = &trailers };
        char connect[1024], transcoded[1024];

        sprintf(connect, "{\"code\":\"invalid_argument\"%s}", connect_details);
        sprintf(transcoded, "{\"code\":3,\"message\":\"\",\"details\":[%s]}", transcoded_details);
        assert_spelled(&end, connect, transcoded);
}

static void assert_details_of(
        const struct rpc_detail *details, size_t count, const char *connect, const char *transcoded)
{
        struct rpc_status status = {
                .status = QUOIT_INVALID_ARGUMENT, .details = details, .count = count
        };
        uint8_t bytes[512];
        char encoded[1024];
        size_t size = rpc_status_size(&status);

        assert_true(size <= sizeof(bytes));
        rpc_status_write(&status, bytes);
        assert_details(encoded, base64_encode(encoded, bytes, size), connect, transcoded);
}

static void test_details(void **state)
{
        const struct rpc_detail known = { view("shop.Order"), view("\x0a\x01x") };
        const struct rpc_detail several[] = {
                known,
                { view("shop.Order"), view("") },
                { view("google.protobuf.Duration"), view("\x08\x01") },
                { view("example.org/x/no.Such"), view("\xff\xfe\xfd\xfc") },
                { view("shop.Order"), view("\x0a") },
        };

        (void)state;
        assert_details_of(&known, 1,
                ",\"details\":[{\"type\":\"shop.Order\",\"value\":\"CgF4\",\"debug\":{\"name\":"
                "\"x\"}}]",
                "{\"@type\":\"type.googleapis.com/shop.Order\",\"name\":\"x\"}");
        assert_details_of(several, 5,
                ",\"details\":[{\"type\":\"shop.Order\",\"value\":\"CgF4\",\"debug\":{\"name\":"
                "\"x\"}},"
                "{\"type\":\"shop.Order\",\"value\":\"\",\"debug\":{}},"
                "{\"type\":\"google.protobuf.Duration\",\"value\":\"CAE\",\"debug\":\"1s\"},"
                "{\"type\":\"no.Such\",\"value\":\"//79/A\"},"
                "{\"type\":\"shop.Order\",\"value\":\"Cg\"}]",
                "{\"@type\":\"type.googleapis.com/shop.Order\",\"name\":\"x\"},"
                "{\"@type\":\"type.googleapis.com/shop.Order\"},"
                "{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"1s\"},"
                "{\"@type\":\"example.org/x/no.Such\",\"value\":\"//79/A==\"},"
                "{\"@type\":\"type.googleapis.com/shop.Order\",\"value\":\"Cg==\"}");
}

/* Which no service imports. */
static void test_details_of_google_rpc(void **state)
{
        const struct rpc_detail retry = { view("google.rpc.RetryInfo"), view("\x0a\x02\x08\x03") };

        (void)state;
        assert_details_of(&retry, 1,
                ",\"details\":[{\"type\":\"google.rpc.RetryInfo\",\"value\":\"CgIIAw\","
                "\"debug\":{\"retryDelay\":\"3s\"}}]",
                "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"3s\"}");
}

static void test_details_that_are_none(void **state)
{
        (void)state;
        assert_details("", 0, "", "");
        assert_details("*", 1, "", "");
        assert_details("CAM", 3, "", "");
        /* an Any without a type */
        assert_details("GgA", 3, ",\"details\":[{\"type\":\"\",\"value\":\"\"}]",
                "{\"@type\":\"\",\"value\":\"\"}");
        /* a name that is no URL */
        assert_details("GgwKCnNob3AuT3JkZXI=", 20,
                ",\"details\":[{\"type\":\"shop.Order\",\"value\":\"\"}]",
                "{\"@type\":\"shop.Order\",\"value\":\"\"}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_details),
                cmocka_unit_test(test_details_of_google_rpc),
                cmocka_unit_test(test_details_that_are_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
