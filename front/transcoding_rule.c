/* SPDX-License-Identifier: MIT */
#include "front/transcoding_rule.h"

#include <errno.h>
#include <string.h>

#include "front/binding.h"
#include "front/http_body.h"
#include "schema/problem.h"

/* What a problem's text is about: "the path ...: why". */
static int say(const struct http_rule *http_rule, quoit_problem *problem, const char *why)
{
        return problem_set(problem, -EINVAL, "the http option of %s, \"%.*s\": %s",
                http_rule->method->path, (int)http_rule->path.size, http_rule->path.data, why);
}

static int check_variable(
        const struct field_path *path, const struct transcoding_rule *rule, quoit_problem *problem)
{
        const upb_FieldDef *leaf = field_path_leaf(path);

        if (upb_FieldDef_IsRepeated(leaf))
                return problem_set(problem, -EINVAL, "the field %s in it is repeated",
                        upb_FieldDef_FullName(leaf));
        if (rule->body && path->fields[0] == rule->body)
                return problem_set(problem, -EINVAL, "the field %s in it is the body",
                        upb_FieldDef_FullName(leaf));
        return binding_check(path, problem);
}

static int find_variables(const struct http_rule *http_rule, struct transcoding_rule *rule,
        upb_Arena *arena, quoit_problem *ret_problem)
{
        const struct path_template *path = &rule->path;
        quoit_problem problem;
        int r = 0;

        rule->variables = upb_Arena_Malloc(arena, path->variable_count * sizeof(*rule->variables));
        if (!rule->variables)
                return -ENOMEM;
        for (unsigned i = 0; r == 0 && i < path->variable_count; i++) {
                r = field_path_find(rule->variables + i, rule->request,
                        path->variables[i].field_path, &problem);
                if (r == 0)
                        r = check_variable(rule->variables + i, rule, &problem);
        }
        return r < 0 ? say(http_rule, ret_problem, problem.text) : 0;
}

/* A top-level field, by its name in the .proto file. */
static int find_field(const struct http_rule *http_rule, const upb_MessageDef *type,
        upb_StringView name, const upb_FieldDef **ret_field, quoit_problem *ret_problem)
{
        quoit_problem problem;

        *ret_field = upb_MessageDef_FindFieldByNameWithSize(type, name.data, name.size);
        if (*ret_field)
                return 0;
        (void)problem_set(&problem, -EINVAL, "%s has no field \"%.*s\" for the body",
                upb_MessageDef_FullName(type), (int)name.size, name.data);
        return say(http_rule, ret_problem, problem.text);
}

static int find_bodies(const struct http_rule *http_rule, struct transcoding_rule *rule,
        quoit_problem *ret_problem)
{
        upb_StringView body = http_rule->body;
        int r = 0;

        rule->has_body = body.size > 0;
        if (rule->has_body && !upb_StringView_IsEqual(body, upb_StringView_FromString("*")))
                r = find_field(http_rule, rule->request, body, &rule->body, ret_problem);
        if (r == 0 && http_rule->response_body.size > 0)
                r = find_field(http_rule, rule->reply, http_rule->response_body,
                        &rule->response_body, ret_problem);
        return r;
}

/* What is a body as it is: all of a message, or the field of it that @field is. NULL: it is JSON. */
static const upb_MessageDef *find_raw(const upb_MessageDef *type, const upb_FieldDef *field)
{
        if (field && (!upb_FieldDef_IsSubMessage(field) || upb_FieldDef_IsRepeated(field)))
                return NULL;
        if (field)
                type = upb_FieldDef_MessageSubDef(field);
        return http_body_is(type) ? type : NULL;
}

static int copy_method(
        const struct http_rule *http_rule, struct transcoding_rule *rule, upb_Arena *arena)
{
        size_t size = http_rule->http_method.size;
        char *copy = upb_Arena_Malloc(arena, size);

        if (!copy)
                return -ENOMEM;
        rule->http_method = upb_StringView_FromDataAndSize(
                memcpy(copy, http_rule->http_method.data, size), size);
        return 0;
}

int transcoding_rule_new(const struct http_rule *http_rule, const struct route *route,
        const upb_MessageDef *request, const upb_MessageDef *reply, upb_Arena *arena,
        struct transcoding_rule **ret_rule, quoit_problem *ret_problem)
{
        struct transcoding_rule *rule = upb_Arena_Malloc(arena, sizeof(*rule));
        const char *why;
        int r;

        if (!rule)
                return -ENOMEM;
        *rule = (struct transcoding_rule){ .route = route, .request = request, .reply = reply };
        if (http_rule->http_method.size == 0)
                return say(http_rule, ret_problem, "it has no method of HTTP");
        if (http_rule->method->kind == QUOIT_CLIENT_STREAMING ||
                http_rule->method->kind == QUOIT_BIDI)
                return say(http_rule, ret_problem, "the method takes a stream of requests");
        r = path_template_parse(&rule->path, http_rule->path, arena, &why);
        if (r == -EINVAL)
                return say(http_rule, ret_problem, why);
        if (r == 0)
                r = copy_method(http_rule, rule, arena);
        if (r == 0)
                r = find_bodies(http_rule, rule, ret_problem);
        if (r == 0)
                r = find_variables(http_rule, rule, arena, ret_problem);
        if (r < 0)
                return r;
        rule->raw_request = rule->has_body ? find_raw(request, rule->body) : NULL;
        rule->raw_reply = find_raw(reply, rule->response_body);
        *ret_rule = rule;
        return r;
}

bool transcoding_rule_covers(const struct transcoding_rule *rule, const struct field_path *path)
{
        if (rule->has_body && (!rule->body || path->fields[0] == rule->body))
                return true;
        for (unsigned i = 0; i < rule->path.variable_count; i++)
                if (field_path_is_in(path, rule->variables + i))
                        return true;
        return false;
}
