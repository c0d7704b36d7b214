/* SPDX-License-Identifier: MIT */

/*
 * A server under the Connect conformance suite. It is told on its standard input what it has to be, says on its
 * standard output where it listens, and serves until SIGTERM. Both are one message behind its size in 4 bytes,
 * big-endian.
 */

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conformance.h"
#include "connectrpc/conformance/v1/server_compat.quoit.h"

#define WORKERS 64 /* calls that may sleep at once */

static quoit_server *server; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(server);
}

static quoit_log_writer *log_writer;

static void __attribute__((noreturn)) fail(const char *what)
{
        quoit_log_writer_printf(log_writer, "%s", what);
        quoit_log_writer_free(log_writer);
        exit(EXIT_FAILURE);
}

static CONFORMANCE(ServerCompatRequest) * read_request(upb_Arena *arena)
{
        CONFORMANCE(ServerCompatRequest) *request = NULL;
        uint32_t size;
        char *bytes;

        if (fread(&size, sizeof(size), 1, stdin) != 1)
                fail("nothing to read");
        size = ntohl(size);
        bytes = upb_Arena_Malloc(arena, size);
        if (fread(bytes, 1, size, stdin) == size)
                request = CONFORMANCE(ServerCompatRequest_parse)(bytes, size, arena);
        if (!request)
                fail("no ServerCompatRequest");
        return request;
}

/* The name of a file with these bytes, as long as the process lives. */
static const char *file_of(upb_Arena *arena, upb_StringView bytes)
{
        static const char format[] = "/proc/self/fd/%d";
        char *name = upb_Arena_Malloc(arena, sizeof(format) + 10);
        int descriptor = memfd_create("pem", MFD_CLOEXEC);

        if (descriptor < 0 || write(descriptor, bytes.data, bytes.size) != (ssize_t)bytes.size)
                fail("no memory file");
        sprintf(name, format, descriptor);
        return name;
}

static int listen_with_tls(
        upb_Arena *arena, const CONFORMANCE(ServerCompatRequest) * request, uint16_t *ret_port)
{
        const CONFORMANCE(TLSCreds) *creds = CONFORMANCE(ServerCompatRequest_server_creds)(request);
        upb_StringView client_ca = CONFORMANCE(ServerCompatRequest_client_tls_cert)(request);
        quoit_tls_options rules = { 0 };
        quoit_tls *tls;
        int r;

        if (client_ca.size > 0) {
                rules.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE;
                rules.client_ca_file = file_of(arena, client_ca);
        }
        if (quoit_tls_new(&rules, &tls) < 0)
                fail("no TLS");
        if (quoit_tls_add_certificate(tls, file_of(arena, CONFORMANCE(TLSCreds_cert)(creds)),
                    file_of(arena, CONFORMANCE(TLSCreds_key)(creds))) < 0)
                fail(quoit_tls_problem(tls));
        r = quoit_server_listen_tls(server, "127.0.0.1:0", tls, ret_port);
        quoit_tls_free(tls);
        return r;
}

static void write_response(
        upb_Arena *arena, const CONFORMANCE(ServerCompatRequest) * request, uint16_t port)
{
        CONFORMANCE(ServerCompatResponse) *response = CONFORMANCE(ServerCompatResponse_new)(arena);
        uint32_t prefix;
        size_t size;
        char *bytes;

        CONFORMANCE(ServerCompatResponse_set_host)(
                response, upb_StringView_FromString("127.0.0.1"));
        CONFORMANCE(ServerCompatResponse_set_port)(response, port);
        if (CONFORMANCE(ServerCompatRequest_use_tls)(request))
                CONFORMANCE(ServerCompatResponse_set_pem_cert)(
                        response, CONFORMANCE(TLSCreds_cert)(
                                          CONFORMANCE(ServerCompatRequest_server_creds)(request)));
        bytes = CONFORMANCE(ServerCompatResponse_serialize)(response, arena, &size);
        prefix = htonl((uint32_t)size);
        fwrite(&prefix, sizeof(prefix), 1, stdout);
        fwrite(bytes, 1, size, stdout);
        fflush(stdout);
}

static int serve(upb_Arena *arena, const CONFORMANCE(ServerCompatRequest) * request)
{
        static conformance_service service;
        uint16_t port;
        int r;

        unary_add(&service);
        streams_add(&service);
        r = CONFORMANCE(ConformanceService_register)(server, &service, NULL);
        if (r == 0)
                r = quoit_server_set_method(server,
                        "/connectrpc.conformance.v1.ConformanceService/*",
                        &(quoit_method_options){ .offload = true });
        if (r < 0)
                return r;
        if (CONFORMANCE(ServerCompatRequest_use_tls)(request))
                r = listen_with_tls(arena, request, &port);
        else
                r = quoit_server_listen(server, "127.0.0.1:0", &port);
        if (r < 0)
                return r;
        write_response(arena, request, port);
        return quoit_server_run(server);
}

/* Which engine is the server's choice, unless the command line says --engine NAME. */
static quoit_engine engine_of(int argc, char **argv)
{
        if (argc == 1)
                return QUOIT_ENGINE_AUTO;
        if (argc != 3 || strcmp(argv[1], "--engine") != 0)
                fail("usage: conformance-server [--engine io_uring|epoll]");
        return strcmp(argv[2], "epoll") == 0 ? QUOIT_ENGINE_EPOLL : QUOIT_ENGINE_IO_URING;
}

int main(int argc, char **argv)
{
        struct sigaction action = { .sa_handler = on_signal };
        upb_Arena *arena = upb_Arena_New();
        const CONFORMANCE(ServerCompatRequest) * request;
        quoit_server_options options = {
                .workers = WORKERS,
                .limits.compress_bytes_min = 1,
                .on_log = quoit_log_writer_log,
        };

        if (quoit_log_writer_new(
                    &(quoit_log_writer_options){ .name = "conformance-server" }, &log_writer) < 0)
                return EXIT_FAILURE;
        options.engine = engine_of(argc, argv);
        request = read_request(arena);
        options.log_user = log_writer;
        options.limits.message_receive_bytes_max =
                CONFORMANCE(ServerCompatRequest_message_receive_limit)(request);
        if (quoit_server_new(&options, &server) < 0)
                fail("no server");
        sigaction(SIGTERM, &action, NULL);
        if (serve(arena, request) < 0)
                fail(quoit_server_problem(server));
        signal(SIGTERM, SIG_DFL); /* the handler must not meet a server that is gone */
        quoit_server_free(server);
        quoit_log_writer_free(log_writer);
        upb_Arena_Free(arena);
        return EXIT_SUCCESS;
}
