/* SPDX-License-Identifier: MIT */
#include "server/faults.h"

#include "call/call.h"
#include "server/escape.h"
#include "server/shard.h"

#define NAME_SHOWN_MAX 40

/* What is wrong with a request whose fields are all valid by themselves. */
static const char *request_rule(const struct request *request)
{
        if (request->http_method == METHOD_NONE)
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

void faults_on_malformed(struct call_group *group, const struct session_malformed *what)
{
        char name[ESCAPED_BYTES_MAX(NAME_SHOWN_MAX)];

        if (!call_group_may_report_malformed(group))
                return;
        if (!what->name) {
                call_group_report(group, "%s: malformed request: %s; stream %d reset",
                        group->peer->address, rule_of(what), (int)what->stream->id);
                return;
        }
        escape(name, what->name,
                what->name_size < NAME_SHOWN_MAX ? what->name_size : NAME_SHOWN_MAX);
        call_group_report(group, "%s: malformed request: field \"%s\": %s; stream %d reset",
                group->peer->address, name, rule_of(what), (int)what->stream->id);
}

void faults_on_fault(struct call_group *group, uint32_t error_code, const char *text, size_t size)
{
        if (error_code == NGHTTP2_NO_ERROR) {
                call_group_report(
                        group, "%s: HTTP/1.1: %.*s; closed", group->peer->address, (int)size, text);
                return;
        }
        call_group_report(group, "%s: HTTP/2: %s%s%.*s; closed", group->peer->address,
                nghttp2_http2_strerror(error_code), size > 0 ? ": " : "", (int)size, text);
}

void faults_log(const struct call_host *host, const char *line)
{
        const struct shard *shard = host->user;

        server_log_peer(shard->server, QUOIT_LOG_INFO, ring_now_ns(&shard->base.ring), "%s", line);
}
