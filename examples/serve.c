/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static quoit_server *running; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(running); /* running calls may finish; a second signal cancels them */
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        (void)level;
        fprintf(stderr, "%s\n", line);
}

quoit_server *example_server(const quoit_server_options *options)
{
        quoit_server_options with_log = options ? *options : (quoit_server_options){ 0 };
        quoit_server *server = NULL;
        int r;

        with_log.on_log = on_log;
        r = quoit_server_new(&with_log, &server);
        if (r < 0) {
                fprintf(stderr, "no server: %s\n", strerror(-r));
                exit(EXIT_FAILURE);
        }
        return server;
}

int example_fail(quoit_server *server)
{
        fprintf(stderr, "%s\n", quoit_server_problem(server));
        quoit_server_free(server);
        return EXIT_FAILURE;
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
        fprintf(stderr, "listening on %s\n", address);
        if (quoit_server_run(server) < 0)
                return example_fail(server);
        quoit_server_free(server);
        return EXIT_SUCCESS;
}

const char *example_address(int argc, char **argv)
{
        return argc > 1 ? argv[1] : "localhost:50051";
}
