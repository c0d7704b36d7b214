/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "api.h"
#include "options.h"
#include "service.h"

static quoit_server *server; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(server);
}

static quoit_log_writer *log_writer;

static void on_signals(void (*handler)(int))
{
        struct sigaction action = { .sa_handler = handler };

        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
}

/* One that comes before there is a handler waits for it. */
static void mask_signals(int how)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(how, &set, NULL);
}

static int listen_on(unsigned port)
{
        char address[sizeof("127.0.0.1:65535")];
        uint16_t bound;
        int r;

        snprintf(address, sizeof(address), "127.0.0.1:%u", port);
        r = quoit_server_listen(server, address, &bound);
        if (r == 0)
                quoit_log_writer_printf(log_writer, "listening on 127.0.0.1:%u", bound);
        return r;
}

static int serve(const struct options *options)
{
        /* what a client takes by default, as in quoit-api */
        static struct api_limits limits = { .message_bytes_max = (size_t)4 << 20 };
        int r;

        r = api_Api_register(server, &api_service, &limits);
        if (r == 0)
                r = bench_Bench_register(server, &bench_service, NULL);
        if (r == 0)
                r = listen_on(options->port);
        if (r == 0)
                r = quoit_server_run(server);
        return r;
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        mask_signals(SIG_BLOCK);
        options_parse(&options, argc, argv);
        r = quoit_log_writer_new(
                &(quoit_log_writer_options){ .name = "quoit-bench-server" }, &log_writer);
        if (r == 0)
                r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                             .engine = options.engine,
                                             .on_log = quoit_log_writer_log,
                                             .log_user = log_writer },
                        &server);
        if (r < 0) {
                fprintf(stderr, "quoit-bench-server: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        on_signals(on_signal);
        mask_signals(SIG_UNBLOCK);
        r = serve(&options);
        on_signals(SIG_IGN); /* a second one has nothing to stop any more */
        if (r < 0)
                quoit_log_writer_printf(log_writer, "%s", quoit_server_problem(server));
        quoit_server_free(server);
        quoit_log_writer_free(log_writer);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
