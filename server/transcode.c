/* SPDX-License-Identifier: MIT */
#include "server/transcode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "front/transcoding_rule.h"
#include "schema/schema.h"
#include "server/log.h"
#include "server/server.h"

struct collecting {
        struct transcode *transcode;
        quoit_server *server;
};

static int leave_out(struct collecting *collecting, const char *why)
{
        server_log(collecting->server, QUOIT_LOG_WARNING, "%s; the rule is left out", why);
        return 0;
}

static int add(struct collecting *collecting, struct transcoding_rule *rule)
{
        struct transcode *transcode = collecting->transcode;
        const struct transcoding_rule *other;
        quoit_problem problem;
        int r = transcoding_router_add(&transcode->router, rule, transcode->arena, &other);

        if (r != -EEXIST)
                return r;
        snprintf(problem.text, sizeof(problem.text),
                "the http option of %s has %.*s and a path that %s has too",
                rule->route->method->path, (int)rule->http_method.size, rule->http_method.data,
                other->route->method->path);
        return leave_out(collecting, problem.text);
}

/* The descriptions of the method's messages. */
static int find_types(struct collecting *collecting, const quoit_method *method,
        const upb_MessageDef **ret_request, const upb_MessageDef **ret_reply,
        quoit_problem *problem)
{
        const quoit_schema *schema = json_types_schema(&collecting->server->json_types, problem);
        int r = schema ? schema_find(schema, method->request, ret_request, problem) : -EINVAL;

        return r < 0 ? r : schema_find(schema, method->reply, ret_reply, problem);
}

static int take(void *user, const struct http_rule *http_rule)
{
        struct collecting *collecting = user;
        const quoit_method *method = http_rule->method;
        const struct route *route =
                router_find(&collecting->server->router, method->path, strlen(method->path));
        const upb_MessageDef *request, *reply;
        struct transcoding_rule *rule;
        quoit_problem problem = { "" };
        int r;

        if (!route)
                return 0;
        if (!collecting->transcode->arena)
                collecting->transcode->arena = upb_Arena_New();
        if (!collecting->transcode->arena)
                return -ENOMEM;
        r = find_types(collecting, method, &request, &reply, &problem);
        if (r == 0)
                r = transcoding_rule_new(http_rule, route, request, reply,
                        collecting->transcode->arena, &rule, &problem);
        if (r == 0)
                return add(collecting, rule);
        return r == -ENOMEM ? r : leave_out(collecting, problem.text);
}

int transcode_init(struct transcode *transcode, quoit_server *server)
{
        struct collecting collecting = { .transcode = transcode, .server = server };
        int r = 0;

        for (size_t i = 0; r == 0 && i < server->router.service_count; i++)
                r = http_rules_each(server->router.services[i], take, &collecting);
        if (r == 0 && transcode->router.root)
                server->router.rules = &transcode->router;
        return r;
}

void transcode_deinit(struct transcode *transcode)
{
        if (transcode->arena)
                upb_Arena_Free(transcode->arena);
        *transcode = (struct transcode){ 0 };
}
