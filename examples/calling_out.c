/* SPDX-License-Identifier: MIT */
/*
 * A handler that calls another service, and answers with its reply: calling_out TARGET [ADDRESS]. The client works on the server's
 * rings, so each call stays on one thread. The outcall is made for the call that waits for it: it has the same deadline, ends when that
 * is cancelled, and carries its trace context.
 */
#include <stdio.h>

#include "guide.quoit.h"
#include "serve.h"

/* Either ends the hold. Without a reply, the call ends as the outcall did. */
static void on_done(
        quoit_outcall *outcall, quoit_status status, const guide_Greeting *reply, void *user)
{
        if (reply) /* the status is QUOIT_OK */
                guide_Guide_Greet_reply(user, reply);
        else
                quoit_call_finish(user, status, quoit_outcall_status_message(outcall).data);
}

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        quoit_channel *channel = user;
        const quoit_call_options options = { .parent = call };

        if (guide_Guide_Greet_start(channel, request, &options, on_done, call, NULL) < 0)
                quoit_call_finish(call, QUOIT_INTERNAL, "the other service cannot be called");
        else
                quoit_call_hold(call); /* until on_done, which comes in any case */
}

static const guide_Guide_service service = { .Greet = greet };

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);
        quoit_client_options options = { .lent = quoit_server_rings(server) };
        quoit_client *client = NULL;
        quoit_channel *channel = NULL;
        int status;

        if (argc < 2 || quoit_client_new(&options, &client) < 0 ||
                quoit_channel_new(client, argv[1], NULL, &channel) < 0) {
                fprintf(stderr, "calling_out TARGET [ADDRESS]\n");
                return 2;
        }
        status = example_serve(server, guide_Guide_register(server, &service, channel),
                example_address(argc - 1, argv + 1));
        quoit_client_free(client); /* its server has ended; frees the channel too */
        return status;
}
