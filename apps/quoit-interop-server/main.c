/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop.h"
#include "options.h"

/* grpc-java's very_large_request has 10 MB, and its own server takes as much as this */
#define MESSAGE_BYTES_MAX ((size_t)16 << 20)

static quoit_server *server; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(server);
}

static void on_signals(void (*handler)(int))
{
        struct sigaction action = { .sa_handler = handler };

        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        static const char *const names[] = { "error", "warning", "info" };

        (void)user;
        fprintf(stderr, "quoit-interop-server: %s: %s\n", names[level], line);
}

static int serve(const struct options *options)
{
        static grpc_testing_TestService_service service;
        static char id[64];
        char address[32];
        uint16_t port;
        int r;

        unary_add(&service);
        streams_add(&service);
        snprintf(id, sizeof(id), "quoit-interop-server-%ld", (long)getpid());
        snprintf(address, sizeof(address), "[::]:%u", options->port);
        r = grpc_testing_TestService_register(server, &service, id);
        if (r == 0)
                r = quoit_server_listen(server, address, &port);
        if (r < 0)
                return r;
        on_signals(on_signal);
        fprintf(stderr, "quoit-interop-server: listening on [::]:%u\n", port);
        return quoit_server_run(server);
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        options_parse(&options, argc, argv);
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .limits.message_receive_bytes_max = MESSAGE_BYTES_MAX,
                                     .on_log = on_log },
                &server);
        if (r < 0) {
                fprintf(stderr, "quoit-interop-server: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        r = serve(&options);
        on_signals(SIG_DFL); /* the handler must not meet a server that is gone */
        if (r < 0)
                fprintf(stderr, "quoit-interop-server: %s\n", quoit_server_problem(server));
        quoit_server_free(server);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
