/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

quoit_log_writer *example_log;

static quoit_server *running; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(running); /* running calls may finish; a second signal cancels them */
}

/* The signals that stop it. An early one stays pending until the server runs. */
static void set_mask(int how)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(how, &set, NULL);
}

quoit_server *example_server(const quoit_server_options *options)
{
        quoit_server_options with_log = options ? *options : (quoit_server_options){ 0 };
        quoit_server *server = NULL;
        int r;

        set_mask(SIG_BLOCK);
        r = quoit_log_writer_new(NULL, &example_log);
        with_log.on_log =
                quoit_log_writer_log; /* not fprintf(): the ring must not wait for stderr */
        with_log.log_user = example_log;
        if (r == 0)
                r = quoit_server_new(&with_log, &server);
        if (r < 0) {
                fprintf(stderr, "no server: %s\n", strerror(-r));
                exit(EXIT_FAILURE);
        }
        return server;
}

int example_end(quoit_server *server, int status)
{
        quoit_server_free(server);
        quoit_log_writer_free(example_log);
        return status;
}

int example_fail(quoit_server *server)
{
        quoit_log_writer_printf(example_log, "%s", quoit_server_problem(server));
        return example_end(server, EXIT_FAILURE);
}

int example_serve(quoit_server *server, int r, const char *address)
{
        if (r < 0 || quoit_server_listen(server, address, NULL) < 0)
                return example_fail(server);
        return example_run(server, address);
}

int example_run(quoit_server *server, const char *address)
{
        running = server;
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        set_mask(SIG_UNBLOCK);
        quoit_log_writer_printf(example_log, "listening on %s", address);
        if (quoit_server_run(server) < 0)
                return example_fail(server);
        set_mask(SIG_BLOCK); /* the handler must not use a server that is freed */
        return example_end(server, EXIT_SUCCESS);
}

const char *example_address(int argc, char **argv)
{
        return argc > 1 ? argv[1] : "localhost:50051";
}
