/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/program.h"
#include "../common/signal_thread.h"
#include "interop.h"
#include "options.h"

/* grpc-java's very_large_request has 10 MB, and its own server takes as much as this */
#define MESSAGE_BYTES_MAX ((size_t)16 << 20)

static quoit_server *server;
static struct signal_thread stopper;

static void on_stop(void)
{
        quoit_server_stop(server);
}

static void __attribute__((noreturn)) end(int status)
{
        signal_thread_stop(&stopper);
        quoit_server_free(server);
        program_exit(status);
}

static void __attribute__((noreturn)) fail(const char *problem)
{
        program_say(QUOIT_LOG_ERROR, "%s", problem);
        end(EXIT_FAILURE);
}

/* A pending signal is handled too. */
static int stop_on_signals(void)
{
        sigset_t set = program_signals((const int[]){ SIGTERM, SIGINT, 0 });

        return signal_thread_start(&stopper, &set, on_stop);
}

static void run(uint16_t port)
{
        int r;

        if (quoit_server_start(server) < 0)
                fail(quoit_server_problem(server));
        r = stop_on_signals();
        if (r < 0)
                quoit_server_stop(server);
        quoit_log_writer_printf(program_log, "listening on [::]:%u", port);
        if (quoit_server_run(server) < 0)
                fail(quoit_server_problem(server));
        if (r < 0)
                fail(strerror(-r));
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

        unary_add(&service);
        streams_add(&service);
        snprintf(id, sizeof(id), "quoit-interop-server-%ld", (long)getpid());
        snprintf(address, sizeof(address), "[::]:%u", options->port);
        if (grpc_testing_TestService_register(server, &service, id) < 0)
                fail(quoit_server_problem(server));
        run(listen_on(address, options));
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
