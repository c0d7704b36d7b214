/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/program.h"
#include "../common/serving.h"
#include "interop.h"
#include "options.h"

/* grpc-java's very_large_request has 10 MB, and its own server takes as much as this */
#define MESSAGE_BYTES_MAX ((size_t)16 << 20)

static quoit_server *server;

static void __attribute__((noreturn)) end(int status)
{
        quoit_server_free(server);
        program_exit(status);
}

static void __attribute__((noreturn)) fail(const char *problem)
{
        program_say(QUOIT_LOG_ERROR, "%s", problem);
        end(EXIT_FAILURE);
}

static void listen_with_tls(const char *address, const struct options *options)
{
        quoit_tls_options rules = { .client_ca_file = options->tls_client_ca_file };
        quoit_tls *tls;

        if (rules.client_ca_file)
                rules.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE;
        if (quoit_tls_new(&rules, &tls) < 0)
                fail("out of memory");
        if (quoit_tls_add_certificate(tls, options->tls_cert_file, options->tls_key_file) < 0)
                fail(quoit_tls_problem(tls));
        if (quoit_server_listen_tls(server, address, tls, NULL) < 0)
                fail(quoit_server_problem(server));
        quoit_tls_free(tls); /* the server has a reference of its own */
}

static void listen_on(const char *address, const struct options *options)
{
        if (options->use_tls)
                listen_with_tls(address, options);
        else if (quoit_server_listen(server, address, NULL) < 0)
                fail(quoit_server_problem(server));
}

static void serve(const struct options *options)
{
        static grpc_testing_TestService_service service;
        static char id[64];
        char address[32];
        const char *problem;

        unary_add(&service);
        streams_add(&service);
        snprintf(id, sizeof(id), "quoit-interop-server-%ld", (long)getpid());
        snprintf(address, sizeof(address), "[::]:%u", options->port);
        if (grpc_testing_TestService_register(server, &service, id) < 0)
                fail(quoit_server_problem(server));
        listen_on(address, options);
        problem = serve_until_stopped(server, UINT_MAX);
        if (problem)
                fail(problem);
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        program_begin("quoit-interop-server");
        options_parse(&options, argc, argv);
        quoit_log_writer_tell_time(program_log);
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .engine = options.engine,
                                     .limits.message_receive_bytes_max = MESSAGE_BYTES_MAX,
                                     .on_log = quoit_log_writer_log,
                                     .log_user = program_log },
                &server);
        if (r < 0)
                fail(strerror(-r));
        serve(&options);
        end(EXIT_SUCCESS);
}
