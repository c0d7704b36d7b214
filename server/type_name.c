/* SPDX-License-Identifier: MIT */
#include "server/type_name.h"

#include <stdio.h>

#include "call/group.h"
#include "server/server.h"
#include "server/shard.h"

/* A type of one of its methods is in a file of one of its services. */
void type_name(
        const struct call_host *host, const upb_MiniTable *type, char ret_name[FIELD_NAME_BYTES])
{
        const struct shard *shard = host->user;
        const struct router *router = &shard->server->router;

        for (size_t i = 0; i < router->service_count; i++)
                if (message_name(ret_name, router->services[i]->file, type))
                        return;
        snprintf(ret_name, FIELD_NAME_BYTES, "a type that no service has");
}
