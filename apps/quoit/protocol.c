/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <errno.h>
#include <string.h>

#include "connection_flags.h"
#include "say.h"

static const char *const names[] = {
        [PROTOCOL_GRPC] = "grpc",
        [PROTOCOL_FOUND] = "auto",
        [PROTOCOL_CONNECT] = "connect",
        [PROTOCOL_GRPC_WEB] = "grpc-web",
};

const char *protocol_name(enum protocol protocol)
{
        return names[protocol];
}

static int set_protocol(const struct flag *flag, const char *text, void *field)
{
        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (!strcmp(names[i], text)) {
                        *(int *)field = (int)i;
                        return 0;
                }
        }
        say_usage("--%s: '%s' is not grpc, connect, grpc-web or auto", flag->name, text);
        return -EINVAL;
}

const struct flag protocol_flags[] = {
        { .name = "protocol",
                .argument = "NAME",
                .help = "grpc; connect or grpc-web: by HTTP/1.1 (default: found out)",
                .set = set_protocol,
                .offset = offsetof(struct connection_flags, protocol) },
        { 0 },
};
