/* SPDX-License-Identifier: MIT */

/* Reflection of all that the plugin's test protos define, which no service of this server imports. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/quoit.h>

#include "kinds.quoit.h"
#include "kitchen/edition2024.quoit.h"
#include "kitchen/editions.quoit.h"
#include "kitchen/groups.quoit.h"
#include "kitchen/proto3.quoit.h"
#include "kitchen/wkt.quoit.h"

static quoit_server *server;

static void on_signal(int number)
{
        (void)number;
        quoit_server_stop(server);
}

int main(void)
{
        static const kinds_Partial_service partial = { .First = NULL };
        static const quoit_file_descriptor *const files[] = {
                &kitchen_edition2024_proto_quoit_file,
                &kitchen_editions_proto_quoit_file,
                &kitchen_groups_proto_quoit_file,
                &kitchen_proto3_proto_quoit_file,
                &kitchen_wkt_proto_quoit_file,
        };
        uint16_t port;
        int r = quoit_server_new(NULL, &server);

        if (r == 0)
                r = quoit_reflection_register(server, files, sizeof(files) / sizeof(*files));
        if (r == 0)
                r = kinds_Partial_register(server, &partial, NULL);
        if (r == 0 && quoit_reflection_register(server, NULL, 0) != -EEXIST)
                r = -EINVAL;
        if (r == 0)
                r = quoit_server_listen(server, "127.0.0.1:0", &port);
        if (r == 0) {
                signal(SIGTERM, on_signal);
                fprintf(stderr, "listening on 127.0.0.1:%u\n", port);
                r = quoit_server_run(server);
        }
        if (r < 0)
                fprintf(stderr, "%s\n", quoit_server_problem(server));
        quoit_server_free(server);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
