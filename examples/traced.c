/* SPDX-License-Identifier: MIT */
/*
 * A handler that calls another service, as calling_out.c has it, with spans of both calls: traced TARGET [ADDRESS], with
 * OTEL_EXPORTER_OTLP_ENDPOINT in the environment. The outcall's span is below that of the call that it is made for, and this is below that
 * of its client.
 */
#include <stdio.h>

#include "guide.quoit.h"
#include "serve.h"

static void on_done(
        quoit_outcall *outcall, quoit_status status, const guide_Greeting *reply, void *user)
{
        if (reply)
                guide_Guide_Greet_reply(user, reply);
        else
                quoit_call_finish(user, status, quoit_outcall_status_message(outcall).data);
}

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        const quoit_call_options options = { .parent = call }; /* its trace too */

        if (guide_Guide_Greet_start(user, request, &options, on_done, call, NULL) < 0)
                quoit_call_finish(call, QUOIT_INTERNAL, "the other service cannot be called");
        else
                quoit_call_hold(call);
}

static const guide_Guide_service service = { .Greet = greet };

/* Its own, as example_serve() frees the other one, and spans are sent after that. */
static quoit_log_writer *log_writer;

/* NULL: it failed, and the log says why. */
static quoit_tracing *start_tracing(void)
{
        quoit_tracing_options options = { .service_name = "traced",
                .on_log = quoit_log_writer_log };
        quoit_tracing *tracing = NULL;
        quoit_error error;

        if (quoit_log_writer_new(NULL, &log_writer) < 0)
                return NULL;
        options.log_user = log_writer;
        quoit_tracing_read_environment(&options);
        if (quoit_tracing_new(&options, &tracing, &error) < 0)
                quoit_log_writer_log(log_writer, QUOIT_LOG_ERROR, error.text);
        return tracing;
}

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);
        quoit_client_options options = { .lent = quoit_server_rings(server) };
        quoit_tracing *tracing = start_tracing();
        quoit_client *client = NULL;
        quoit_channel *channel = NULL;
        int status;

        if (!tracing)
                return example_end(server, 1);
        if (argc < 2 || quoit_client_new(&options, &client) < 0 ||
                quoit_channel_new(client, argv[1], NULL, &channel) < 0 ||
                quoit_tracing_attach(tracing, server) < 0 ||
                quoit_tracing_attach_channel(tracing, channel) < 0) {
                fprintf(stderr, "traced TARGET [ADDRESS]\n");
                return 2;
        }
        status = example_serve(server, guide_Guide_register(server, &service, channel),
                example_address(argc - 1, argv + 1));
        quoit_client_free(client);
        quoit_tracing_free(tracing); /* sends what is left */
        quoit_log_writer_free(log_writer);
        return status;
}
