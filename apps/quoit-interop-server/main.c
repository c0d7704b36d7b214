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

static void __attribute__((noreturn)) fail(const char *problem)
{
        on_signals(SIG_DFL); /* the handler must not meet a server that is gone */
        fprintf(stderr, "quoit-interop-server: %s\n", problem);
        exit(EXIT_FAILURE);
}

static uint16_t listen_with_tls(const char *address, const struct options *options)
{
        quoit_tls_options rules = { .client_ca_file = options->tls_client_ca_file };
        quoit_tls *tls;
        uint16_t port;

        if (rules.client_ca_file)
                rules.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE;
        if (quoit_tls_new(&rules, &tls) < 0)
                fail("out of memory");
        if (quoit_tls_add_certificate(tls, options->tls_cert_file, options->tls_key_file) < 0)
                fail(quoit_tls_problem(tls));
        if (quoit_server_listen_tls(server, address, tls, &port) < 0)
                fail(quoit_server_problem(server));
        quoit_tls_free(tls); /* the server has a reference of its own */
        return port;
}

static uint16_t listen_on(const char *address, const struct options *options)
{
        uint16_t port;

        if (options->use_tls)
                return listen_with_tls(address, options);
        if (quoit_server_listen(server, address, &port) < 0)
                fail(quoit_server_problem(server));
        return port;
}

static void serve(const struct options *options)
{
        static grpc_testing_TestService_service service;
        static char id[64];
        char address[32];
        uint16_t port;

        unary_add(&service);
        streams_add(&service);
        snprintf(id, sizeof(id), "quoit-interop-server-%ld", (long)getpid());
        snprintf(address, sizeof(address), "[::]:%u", options->port);
        if (grpc_testing_TestService_register(server, &service, id) < 0)
                fail(quoit_server_problem(server));
        port = listen_on(address, options);
        on_signals(on_signal);
        fprintf(stderr, "quoit-interop-server: listening on [::]:%u\n", port);
        if (quoit_server_run(server) < 0)
                fail(quoit_server_problem(server));
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
        if (r < 0)
                fail(strerror(-r));
        serve(&options);
        on_signals(SIG_DFL);
        quoit_server_free(server);
        return EXIT_SUCCESS;
}
