/* SPDX-License-Identifier: MIT */
#include "server/wrong_type.h"

#include <stdio.h>

#include "call/call.h"
#include "codec/field_name.h"
#include "server/log.h"
#include "server/server.h"
#include "server/shard.h"

/* The type is another method's, so a file of some service has it. */
static void name_type(
        char name[FIELD_NAME_BYTES], const struct router *router, const upb_MiniTable *type)
{
        for (size_t i = 0; i < router->service_count; i++)
                if (message_name(name, router->services[i]->file, type))
                        return;
        snprintf(name, FIELD_NAME_BYTES, "a type that no service has");
}

void wrong_type_log(const struct quoit_call *call, const upb_MiniTable *type)
{
        struct shard *shard = call_host_of(call)->user;
        const struct router *router = &shard->server->router;
        char sent[FIELD_NAME_BYTES], due[FIELD_NAME_BYTES];

        name_type(sent, router, type);
        name_type(due, router, call->request.route->method->reply);
        server_log_peer(shard->server, QUOIT_LOG_ERROR, call_clock_ns(call),
                "%s: a mistake of the handler: it sent %s, but its answers are %s; ended INTERNAL",
                call_path(call), sent, due);
}
