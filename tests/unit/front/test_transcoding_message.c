/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/transcoding_message.h"
#include "shop.h"

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static const struct transcoding_rule *make_rule(const quoit_schema *schema, const char *path,
        const char *body, const char *response_body, upb_Arena *arena)
{
        struct http_rule rule = { .method = shop_service->methods,
                .http_method = view("POST"),
                .path = view(path),
                .body = view(body),
                .response_body = view(response_body) };
        struct transcoding_rule *made = NULL;
        quoit_problem problem = { "" };

        if (transcoding_rule_new(&rule, NULL, shop_order(schema), shop_order(schema), arena, &made,
                    &problem) < 0)
                fail_msg("%s", problem.text);
        return made;
}

struct request_case {
        const char *rule, *rule_body, *path, *query, *body, *result;
};

static const struct request_case request_cases[] = {
        { "/v1/{name}", "", "/v1/x", "", "", "{\"name\":\"x\"}" },
        { "/v1/{name}:do", "", "/v1/x:do", "i32=1", "", "{\"name\":\"x\",\"i32\":1}" },
        { "/v1/{name}/{inner.text=**}", "", "/v1/a%2Fb/c%2Fd/e%20f", "", "",
                "{\"name\":\"a/b\",\"inner\":{\"text\":\"c%2Fd/e f\"}}" },
        { "/v1/{i32}", "", "/v1/x", "", "", "\"x\" is no value of the field shop.Order.i32" },
        { "/v1/{name}", "", "/v1/%zz", "", "", "no two hexadecimal digits" },
        { "/v1/{name}", "", "/v1/%ff", "", "", "is no value of the field shop.Order.name" },
        /* envoy's issues 13965, 21151 and 32143 */
        { "/v1", "", "/v1", "name=a+b%2B", "", "{\"name\":\"a b+\"}" },
        { "/v1", "", "/v1", "search%5Bfield.x%5D=a", "", "{\"search[field.x]\":\"a\"}" },
        { "/v1", "", "/v1", "tags=a&inner.numbers=1&tags=b&inner.numbers=2", "",
                "{\"inner\":{\"numbers\":[1,2]},\"tags\":[\"a\",\"b\"]}" },
        { "/v1", "", "/v1", "wrappedText=a", "", "{\"wrappedText\":\"a\"}" },
        { "/v1", "", "/v1", "n%61me=a", "", "{\"name\":\"a\"}" },
        { "/v1", "", "/v1", "nothing=a", "", "shop.Order has no field \"nothing\"" },
        { "/v1", "", "/v1", "name=%", "", "no two hexadecimal digits" },
        { "/v1/{name}", "", "/v1/x", "name=y", "",
                "the query has \"name\", which is set by the path or the body" },
        { "/v1/{inner.text}", "", "/v1/x", "inner.text=y", "", "set by the path or the body" },
        { "/v1/{inner.text}", "", "/v1/x", "inner.numbers=7", "",
                "{\"inner\":{\"text\":\"x\",\"numbers\":[7]}}" },
        { "/v1/{name}", "*", "/v1/x", "i32=1", "", "set by the path or the body" },
        { "/v1/{name}", "inner", "/v1/x", "inner.text=1", "{}", "set by the path or the body" },
        { "/v1/{name}", "*", "/v1/x", "", "{\"i32\":1,\"name\":\"y\"}",
                "{\"name\":\"x\",\"i32\":1}" },
        { "/v1/{name}", "*", "/v1/x", "", "", "{\"name\":\"x\"}" },
        { "/v1/{inner.text}", "*", "/v1/x", "", "{\"inner\":{\"numbers\":[1]}}",
                "{\"inner\":{\"text\":\"x\",\"numbers\":[1]}}" },
        { "/v1/{name}", "", "/v1/x", "", "{}", "this request has no body" },
        { "/v1", "*", "/v1", "", "[]", "line 1, column 1" },
        { "/v1", "*", "/v1", "", "{\"nothing\":1}", "nothing" },
        { "/v1", "inner", "/v1", "i32=1", " {\"text\":\"a\"} ",
                "{\"i32\":1,\"inner\":{\"text\":\"a\"}}" },
        { "/v1", "tags", "/v1", "", "[\"a,]}\\\"\",\"b\"]", "{\"tags\":[\"a,]}\\\"\",\"b\"]}" },
        { "/v1", "i32", "/v1", "", "7", "{\"i32\":7}" },
        { "/v1", "labels", "/v1", "", "{\"a\":\"b\"}", "{\"labels\":{\"a\":\"b\"}}" },
        { "/v1", "at", "/v1", "", "\"1970-01-01T00:00:01Z\"", "{\"at\":\"1970-01-01T00:00:01Z\"}" },
        { "/v1", "i32", "/v1", "", "7,\"name\":\"x\"", "not one value of JSON" },
        { "/v1", "i32", "/v1", "", "7}", "not one value of JSON" },
        { "/v1", "i32", "/v1", "", "7}{", "not one value of JSON" },
        { "/v1", "name", "/v1", "", "\"x", "not one value of JSON" },
        { "/v1", "name", "/v1", "", "\"x\\", "not one value of JSON" },
        { "/v1", "name", "/v1", "", "\"x\" \"y\"", "line 1" },
        { "/v1", "inner", "/v1", "", "{\"text\":\"\xff\"}", "not UTF-8" },
};

static void test_requests(void **state)
{
        for (size_t i = 0; i < sizeof(request_cases) / sizeof(*request_cases); i++) {
                const struct request_case *c = request_cases + i;
                upb_Arena *arena = upb_Arena_New();
                const struct transcoding_rule *rule =
                        make_rule(*state, c->rule, c->rule_body, "", arena);
                struct transcoding_request request = {
                        .path = view(c->path), .query = view(c->query), .body = view(c->body)
                };
                quoit_problem problem = { "" };
                upb_Message *message;
                int r = transcoding_request_parse(
                        rule, &request, *state, 0, arena, &message, &problem);
                const char *result = r == 0 ? shop_print(*state, message, arena) : problem.text;

                if ((*c->result == '{') != (r == 0) || !strstr(result, c->result))
                        fail_msg("%s %s?%s %s: %s", c->rule, c->path, c->query, c->body, result);
                upb_Arena_Free(arena);
        }
}

static void test_unknown_names_can_be_left_out(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        const struct transcoding_rule *rule = make_rule(*state, "/v1/{name}", "inner", "", arena);
        struct transcoding_request request = { .path = view("/v1/x"),
                .query = view("nothing=1&i32=2&inner.nothing=1"),
                .body = view("{\"nothing\":[1],\"text\":\"a\"}") };
        upb_Message *message;

        assert_int_equal(transcoding_request_parse(rule, &request, *state,
                                 QUOIT_JSON_IGNORE_UNKNOWN, arena, &message, NULL),
                0);
        assert_string_equal(shop_print(*state, message, arena),
                "{\"name\":\"x\",\"i32\":2,\"inner\":{\"text\":\"a\"}}");
        upb_Arena_Free(arena);
}

static void test_memory_is_bounded(void **state)
{
        upb_Arena *arena = upb_Arena_New(), *rules = upb_Arena_New();
        const struct transcoding_rule *rule = make_rule(*state, "/v1/{name=**}", "", "", rules);
        char path[8192] = "/v1/";
        struct transcoding_request request = { .query = view("tags=a") };
        quoit_budget budget;
        upb_Message *message;

        memset(path + 4, 'x', sizeof(path) - 5);
        request.path = upb_StringView_FromDataAndSize(path, sizeof(path) - 1);
        quoit_budget_init(&budget, 4096);
        upb_Arena_SetBudget(arena, &budget.upb);
        assert_int_equal(
                transcoding_request_parse(rule, &request, *state, 0, arena, &message, NULL),
                -ENOMEM);
        upb_Arena_Free(arena);
        upb_Arena_Free(rules);
}

static void test_answers(void **state)
{
        static const struct {
                const char *field, *json, *result;
        } cases[] = {
                { "", "{\"name\":\"x\"}", "{\"name\":\"x\"}" },
                { "name", "{\"name\":\"x:\\\"}\",\"i32\":1}", "\"x:\\\"}\"" },
                { "inner", "{\"inner\":{\"text\":\"x\"}}", "{\"text\":\"x\"}" },
                { "tags", "{\"tags\":[\"a\",\"b\"]}", "[\"a\",\"b\"]" },
                { "inners", "{\"inners\":[{\"text\":\"a\"},{}]}", "[{\"text\":\"a\"},{}]" },
                { "labels", "{\"labels\":{\"a\":\"b\"}}", "{\"a\":\"b\"}" },
                { "at", "{\"at\":\"1970-01-01T00:00:01Z\"}", "\"1970-01-01T00:00:01Z\"" },
                { "wrapped_many", "{\"wrappedMany\":[1]}", "[1]" },
                { "odd_name", "{\"odd_name\":\"x\"}", "\"x\"" },
                { "left", "{\"left\":\"\"}", "\"\"" },
                { "i64", "{\"i64\":5}", "\"5\"" },
                { "name", "{}", "\"\"" },
                { "data", "{}", "\"\"" },
                { "i32", "{}", "0" },
                { "d", "{}", "0" },
                { "i64", "{}", "\"0\"" },
                { "yes", "{}", "false" },
                { "colour", "{}", "\"COLOUR_NONE\"" },
                { "inner", "{}", "null" },
                { "tags", "{}", "[]" },
                { "labels", "{}", "{}" },
                { "maybe", "{}", "\"\"" },
                { "left", "{\"right\":1}", "\"\"" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                upb_Arena *arena = upb_Arena_New();
                const struct transcoding_rule *rule =
                        make_rule(*state, "/v1", "", cases[i].field, arena);
                upb_StringView text;
                upb_Message *message;

                assert_int_equal(quoit_json_parse(*state, view(cases[i].json), shop_order_table, 0,
                                         arena, &message, NULL),
                        0);
                assert_int_equal(
                        transcoding_answer_print(rule, message, *state, 0, arena, &text, NULL), 0);
                if (!upb_StringView_IsEqual(text, view(cases[i].result)))
                        fail_msg("%s of %s: %.*s", cases[i].field, cases[i].json, (int)text.size,
                                text.data);
                upb_Arena_Free(arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_unknown_names_can_be_left_out),
                cmocka_unit_test(test_memory_is_bounded),
                cmocka_unit_test(test_answers),
        };

        return cmocka_run_group_tests(tests, shop_setup, shop_teardown);
}
