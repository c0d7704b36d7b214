/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "front/query.h"
#include "front/transcoding_message.h"
#include "front/transcoding_router.h"
#include "schema/schema.h"
#include "shop.h"

/*
 * Requests for the rules of shop.proto, and a rule of the input's own. What is refused has a line of text that says why. What is
 * taken is a message that can be printed, also as the field that its rule names.
 *
 * Input: lines. A path template; a method of HTTP; a path, perhaps with a query; the rest is the body.
 */

static const quoit_schema *schema;
static upb_Arena *rules;
static struct transcoding_router router;
static const upb_MessageDef *order;

static int add(void *user, const struct http_rule *http_rule)
{
        struct transcoding_rule *rule;
        const struct transcoding_rule *other;

        (void)user;
        assert(transcoding_rule_new(http_rule, NULL, order, order, rules, &rule, NULL) == 0);
        return transcoding_router_add(&router, rule, rules, &other);
}

static void begin(void)
{
        quoit_schema *made;

        assert(quoit_schema_new(&shop_file, 1, &made, NULL) == 0);
        schema = made;
        assert(schema_find(schema, shop_order_table, &order, NULL) == 0);
        rules = upb_Arena_New();
        assert(http_rules_each(shop_service, add, NULL) == 0);
}

static void check_problem(const quoit_problem *problem)
{
        assert(*problem->text);
        for (const char *c = problem->text; *c; c++)
                assert(*c >= ' ' && *c <= '~');
}

static upb_StringView take_line(const uint8_t **data, size_t *size)
{
        const uint8_t *begin = *data, *end = memchr(begin, '\n', *size);
        size_t length = end ? (size_t)(end - begin) : *size;

        *data += end ? length + 1 : length;
        *size -= end ? length + 1 : length;
        return upb_StringView_FromDataAndSize((const char *)begin, length);
}

static void check_request(const struct transcoding_rule *rule,
        const struct transcoding_request *request, unsigned options, upb_Arena *arena)
{
        quoit_problem problem = { "" };
        upb_StringView text;
        upb_Message *message;
        int r = transcoding_request_parse(
                rule, request, schema, options, arena, &message, &problem);

        assert(r == 0 || r == -EINVAL || r == -ENOMEM);
        if (r < 0)
                check_problem(&problem);
        else if (transcoding_answer_print(rule, message, schema, 0, arena, &text, &problem) < 0)
                check_problem(&problem);
        else
                assert(text.size > 0);
}

/* A rule that is taken is alone in a router: a path that it matches finds it, and no other. */
static void check_rule(
        upb_StringView path, const struct transcoding_request *request, upb_Arena *arena)
{
        struct http_rule http_rule = { .method = shop_service->methods,
                .http_method = upb_StringView_FromString("*"),
                .path = path,
                .body = upb_StringView_FromString("*") };
        struct transcoding_router alone = { .root = NULL };
        quoit_problem problem = { "" };
        const struct transcoding_rule *other;
        struct transcoding_rule *rule;
        int r = transcoding_rule_new(&http_rule, NULL, order, order, arena, &rule, &problem);

        if (r < 0) {
                assert(r == -EINVAL);
                check_problem(&problem);
                return;
        }
        assert(transcoding_router_add(&alone, rule, arena, &other) == 0);
        if (transcoding_router_find(&alone, upb_StringView_FromString("GET"), request->path)) {
                upb_StringView segments[PATH_TEMPLATE_SEGMENTS_MAX], cut = request->path;

                cut.size -= rule->path.verb.size ? rule->path.verb.size + 1 : 0;
                assert(path_template_cut(&rule->path, cut, segments));
                check_request(rule, request, QUOIT_JSON_IGNORE_UNKNOWN, arena);
        }
        assert(transcoding_router_add(&alone, rule, arena, &other) == -EEXIST && other == rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        upb_StringView path = take_line(&data, &size), method = take_line(&data, &size);
        upb_StringView target = take_line(&data, &size);
        struct transcoding_request request = { .body = upb_StringView_FromDataAndSize(
                                                       (const char *)data, size) };
        char allow[TRANSCODING_ALLOW_BYTES];
        const struct transcoding_rule *rule;
        upb_Arena *arena = upb_Arena_New();
        quoit_budget budget;

        if (!schema)
                begin();
        query_split(target, &request.path, &request.query);
        if (request.path.size > 0 && *request.path.data == '/') {
                rule = transcoding_router_find(&router, method, request.path);
                assert(transcoding_router_allow(&router, request.path, allow) > 0 || !rule);
                check_rule(path, &request, arena);
                quoit_budget_init(&budget, quoit_parse_bytes_max(size));
                upb_Arena_SetBudget(arena, &budget.upb);
                if (rule)
                        check_request(rule, &request, 0, arena);
        }
        upb_Arena_Free(arena);
        return 0;
}
