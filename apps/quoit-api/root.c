/* SPDX-License-Identifier: MIT */
#include "root.h"

#include <string.h>

static void on_root(quoit_call *call, void *user)
{
        quoit_health_status status = QUOIT_HEALTH_SERVING;
        bool is_well;
        const char *text;

        if (user)
                (void)quoit_health_get(user, "", &status);
        is_well = status == QUOIT_HEALTH_SERVING;
        text = is_well ? "quoit-api serves gRPC, gRPC-Web and Connect here\n" : "NOT_SERVING\n";
        (void)quoit_call_add_header(call, "cache-control", upb_StringView_FromString("no-store"));
        (void)quoit_http_reply(call, &(quoit_http_answer){ .status = is_well ? 200 : 503,
                                             .body = text,
                                             .size = strlen(text),
                                             .is_static = true });
}

int root_register(quoit_server *server, quoit_health *health)
{
        return quoit_server_handle_http(server, "/", on_root, health);
}
