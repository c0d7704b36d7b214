/* SPDX-License-Identifier: MIT */

/* --client TARGET: a client beside the server, which channelz shows. It makes three calls that succeed and one that does not. */

#include "test_server.h"

static void call(quoit_channel *channel, const char *name, const struct upb_Message *request,
        upb_Arena *arena)
{
        const quoit_call_options options = { .timeout_ms = 10000 };
        const struct upb_Message *reply;

        (void)quoit_unary_blocking(channel, quoit_service_method(&quoit_calls__Calls_service, name),
                arena, request, &options, &reply, NULL);
}

int calling_begin(struct test_server *test, const struct options *options)
{
        const quoit_client_options client_options = { .engine = options->server.engine,
                .on_log = options->server.on_log,
                .log_user = options->server.log_user };
        upb_Arena *arena = upb_Arena_New();
        calls_StatusRequest *status = calls_StatusRequest_new(arena);
        quoit_channel *channel;
        int r = quoit_client_new(&client_options, &test->client);

        for (unsigned i = 0; r == 0 && i < options->target_count; i++) {
                r = quoit_channel_new(test->client, options->targets[i], NULL, &channel);
                for (unsigned calls = 0; r == 0 && calls < 3; calls++)
                        call(channel, "Echo", UPB_UPCAST(calls_Payload_new(arena)), arena);
                calls_StatusRequest_set_code(status, 9);
                if (r == 0)
                        call(channel, "Status", UPB_UPCAST(status), arena);
        }
        upb_Arena_Free(arena);
        return r;
}
