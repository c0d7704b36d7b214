/* SPDX-License-Identifier: MIT */
/*
 * TLS, with certificates that are renewed while the server runs: SIGHUP reads them again, and no connection is lost.
 *
 *      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
 *              -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout server.key -out server.crt
 *      ./tls server.crt server.key
 *      grpcurl -cacert server.crt -proto guide.proto -d '{"name": "Ann"}' localhost:50051 guide.Guide/Greet
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "guide.quoit.h"
#include "serve.h"

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        upb_StringView name = guide_Name_name(request);
        guide_Greeting *reply = guide_Greeting_new(quoit_call_scratch(call));

        (void)user;
        if (reply)
                guide_Greeting_set_text(reply, quoit_call_format(call, "Hello %.*s, in private!",
                                                       (int)name.size, name.data));
        guide_Guide_Greet_reply(call, reply);
}

static const guide_Guide_service service = { .Greet = greet };

static sigset_t hangup;

/* On a thread of its own: reading files takes time. */
static void *reload_at_hangup(void *user)
{
        quoit_tls *tls = user;
        int signal_number;

        while (sigwait(&hangup, &signal_number) == 0) {
                if (quoit_tls_reload(tls) < 0)
                        quoit_log_writer_printf(example_log,
                                "the certificates stay as they are: %s", quoit_tls_problem(tls));
                else
                        quoit_log_writer_printf(
                                example_log, "the certificates have been read again");
        }
        return NULL;
}

/* In this thread, and those that it starts: an early signal stays pending until its thread runs. */
static void block_hangup(void)
{
        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &hangup, NULL);
}

static void reload_in_background(quoit_tls *tls)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, reload_at_hangup, tls) == 0)
                pthread_detach(thread);
}

int main(int argc, char **argv)
{
        const char *address = argc > 3 ? argv[3] : "localhost:50051";
        quoit_server *server;
        quoit_tls *tls;

        block_hangup();
        if (argc < 3) {
                fprintf(stderr, "usage: tls CERTIFICATE KEY [ADDRESS]\n");
                return 2;
        }
        if (quoit_tls_new(NULL, &tls) < 0)
                return EXIT_FAILURE;
        if (quoit_tls_add_certificate(tls, argv[1], argv[2]) < 0) {
                fprintf(stderr, "%s\n", quoit_tls_problem(tls));
                return EXIT_FAILURE;
        }
        server = example_server(NULL);
        reload_in_background(tls);
        if (guide_Guide_register(server, &service, NULL) < 0 ||
                quoit_server_listen_tls(server, address, tls, NULL) < 0)
                return example_fail(server);
        return example_run(server, address);
}
