/* SPDX-License-Identifier: MIT */
#include "server/malformed.h"

#include "call/call.h"
#include "server/escape.h"
#include "server/shard.h"

#define NAME_SHOWN_MAX 40
#define LINES_A_CONNECTION                                                                         \
        10 /* a flood of these lines must not hide what happens to the connection */

/* What is wrong with a request whose fields are all valid by themselves. */
static const char *request_rule(const struct request *request)
{
        if (!request->has_method)
                return "no :method";
        if (!request->has_scheme)
                return "no :scheme";
        if (!request->has_path)
                return "no :path, or one without \"/\" in front";
        return "content-length is not the length of its body, or CONNECT has a :path";
}

static const char *rule_of(const struct session_malformed *what)
{
        return what->rule ? what->rule : request_rule(&call_of_stream(what->stream)->request);
}

void malformed_log(struct call_group *group, const struct session_malformed *what)
{
        struct shard *shard = group->host->user;
        uint64_t now_ns = ring_now_ns(&shard->base.ring);
        char name[ESCAPED_BYTES_MAX(NAME_SHOWN_MAX)];

        if (++group->malformed > LINES_A_CONNECTION)
                return;
        if (!what->name) {
                server_log_peer(shard->server, QUOIT_LOG_INFO, now_ns,
                        "%s: malformed request: %s; stream %d reset", group->peer->address,
                        rule_of(what), (int)what->stream->id);
                return;
        }
        escape(name, what->name,
                what->name_size < NAME_SHOWN_MAX ? what->name_size : NAME_SHOWN_MAX);
        server_log_peer(shard->server, QUOIT_LOG_INFO, now_ns,
                "%s: malformed request: field \"%s\": %s; stream %d reset", group->peer->address,
                name, rule_of(what), (int)what->stream->id);
}
