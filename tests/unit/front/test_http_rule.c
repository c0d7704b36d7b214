/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/message.h>

#include "front/http_rule.h"
#include "front/transcoding_rule.h"
#include "shop.h"

struct told {
        char text[2048];
        size_t size;
        unsigned count, count_max;
};

static int tell(void *user, const struct http_rule *rule)
{
        struct told *told = user;

        told->size += (size_t)snprintf(told->text + told->size, sizeof(told->text) - told->size,
                "%s: %.*s %.*s [%.*s] [%.*s]\n", rule->method->path, (int)rule->http_method.size,
                rule->http_method.data, (int)rule->path.size, rule->path.data, (int)rule->body.size,
                rule->body.data, (int)rule->response_body.size, rule->response_body.data);
        return ++told->count == told->count_max ? -ECANCELED : 0;
}

static void test_rules_of_a_descriptor(void **state)
{
        struct told told = { .size = 0 };

        (void)state;
        assert_int_equal(http_rules_each(shop_service, tell, &told), 0);
        assert_string_equal(told.text, "/shop.Shop/Get: GET /v1/{name=shelves/*/books/*} [] []\n"
                                       "/shop.Shop/Get: GET /v1/{inner.text}/of/{i32} [] []\n"
                                       "/shop.Shop/Get: PURGE /v1/{name=**}:purge [] []\n"
                                       "/shop.Shop/Put: PUT /v1/orders/{name} [*] []\n"
                                       "/shop.Shop/Patch: PATCH /v1/orders/{name} [inner] [inner]\n"
                                       "/shop.Shop/Tag: POST /v1/orders/{name}:tag [tags] [tags]\n"
                                       "/shop.Shop/Delete: DELETE /v1/orders/{name} [] []\n");
        told = (struct told){ .count_max = 2 };
        assert_int_equal(http_rules_each(shop_service, tell, &told), -ECANCELED);
        assert_int_equal(told.count, 2);
}

static void test_descriptors_that_say_nothing(void **state)
{
        quoit_file_descriptor broken = { .name = "broken.proto", .bytes = "\x32\x05", .size = 2 };
        quoit_service service = *shop_service;
        struct told told = { .size = 0 };

        (void)state;
        service.file = NULL;
        assert_int_equal(http_rules_each(&service, tell, &told), 0);
        service.file = &broken;
        assert_int_equal(http_rules_each(&service, tell, &told), -EINVAL);
        service.file = shop_service->file;
        service.name = "shop.Other";
        assert_int_equal(http_rules_each(&service, tell, &told), 0);
        assert_int_equal(told.count, 0);
}

/* What is wrong with a rule, in the @problem; "": nothing. */
static void check(const quoit_schema *schema, const struct http_rule *rule, const char *problem)
{
        upb_Arena *arena = upb_Arena_New();
        struct transcoding_rule *made = NULL;
        quoit_problem said = { "" };
        int r = transcoding_rule_new(
                rule, NULL, shop_order(schema), shop_order(schema), arena, &made, &said);

        assert_int_equal(r, *problem ? -EINVAL : 0);
        assert_int_equal(made != NULL, r == 0);
        if (!strstr(said.text, problem))
                fail_msg("%s", said.text);
        if (r < 0)
                assert_non_null(strstr(said.text, rule->method->path));
        upb_Arena_Free(arena);
}

static void test_rules_that_are_refused(void **state)
{
        static const struct {
                const char *method, *path, *body, *response_body, *problem;
        } cases[] = {
                { "GET", "/v1/{name}", "", "", "" },
                { "GET", "/v1/{at}/{wrapped}/{inner.text}", "", "", "" },
                { "POST", "/v1/{name}", "inner", "tags", "" },
                { "", "", "", "", "it has no method of HTTP" },
                { "GET", "v1", "", "", "\"v1\": it does not begin with '/'" },
                { "GET", "/v1/{nothing}", "", "", "shop.Order has no field \"nothing\"" },
                { "GET", "/v1/{tags}", "", "", "the field shop.Order.tags in it is repeated" },
                { "GET", "/v1/{inner}", "", "", "shop.Order.inner is a message" },
                { "GET", "/v1/{labels}", "", "", "in it is repeated" },
                { "PUT", "/v1/{inner.text}", "inner", "", "in it is the body" },
                { "PUT", "/v1", "inner.text", "", "no field \"inner.text\" for the body" },
                { "PUT", "/v1", "", "nothing", "no field \"nothing\" for the body" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct http_rule rule = { .method = shop_service->methods,
                        .http_method = upb_StringView_FromString(cases[i].method),
                        .path = upb_StringView_FromString(cases[i].path),
                        .body = upb_StringView_FromString(cases[i].body),
                        .response_body = upb_StringView_FromString(cases[i].response_body) };

                check(*state, &rule, cases[i].problem);
        }
}

static void test_streams_of_requests_have_no_rule(void **state)
{
        static const quoit_method_kind kinds[] = { QUOIT_CLIENT_STREAMING, QUOIT_BIDI };

        for (size_t i = 0; i < 2; i++) {
                quoit_method method = shop_service->methods[0];
                struct http_rule rule = { .method = &method,
                        .http_method = upb_StringView_FromString("POST"),
                        .path = upb_StringView_FromString("/v1") };

                method.kind = kinds[i];
                check(*state, &rule, "the method takes a stream of requests");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules_of_a_descriptor),
                cmocka_unit_test(test_descriptors_that_say_nothing),
                cmocka_unit_test(test_rules_that_are_refused),
                cmocka_unit_test(test_streams_of_requests_have_no_rule),
        };

        return cmocka_run_group_tests(tests, shop_setup, shop_teardown);
}
