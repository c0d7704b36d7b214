/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "api.h"
#include "options.h"

/* What a client takes by default; a larger answer would only fail there. */
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

static quoit_server *server; /* for the signal handler */

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(server);
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        static const char *const names[] = { "error", "warning", "info" };

        (void)user;
        fprintf(stderr, "quoit-api: %s: %s\n", names[level], line);
}

static void on_signals(void (*handler)(int))
{
        struct sigaction action = { .sa_handler = handler };

        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
}

static int fail(void)
{
        on_signals(SIG_DFL); /* the handler must not meet a server that is gone */
        fprintf(stderr, "quoit-api: %s\n", quoit_server_problem(server));
        quoit_server_free(server);
        return EXIT_FAILURE;
}

/* HOST:PORT, an IPv6 address in brackets. */
static void format_address(char *text, size_t size, const char *host, unsigned port)
{
        bool bare_v6 = strchr(host, ':') && *host != '[';

        snprintf(text, size, bare_v6 ? "[%s]:%u" : "%s:%u", host, port);
}

static int serve(const struct options *options)
{
        static struct api_limits limits = { .message_bytes_max = MESSAGE_BYTES_MAX };
        char address[512];
        uint16_t port;

        if (api_Api_register(server, &api_service, &limits) < 0)
                return fail();
        if (options->workers > 0 && quoit_server_set_method(server, "/api.Api/*",
                                            &(quoit_method_options){ .offload = true }) < 0)
                return fail();
        format_address(address, sizeof(address), options->host, options->port);
        if (quoit_server_listen(server, address, &port) < 0)
                return fail();
        on_signals(on_signal);
        format_address(address, sizeof(address), *options->host ? options->host : "[::]", port);
        fprintf(stderr, "quoit-api: listening on %s\n", address);
        if (quoit_server_run(server) < 0)
                return fail();
        on_signals(SIG_DFL);
        fprintf(stderr, "quoit-api: stopped\n");
        quoit_server_free(server);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        options_parse(&options, argc, argv);
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .workers = options.workers,
                                     .limits.message_send_bytes_max = MESSAGE_BYTES_MAX,
                                     .on_log = on_log },
                &server);
        if (r < 0) {
                fprintf(stderr, "quoit-api: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        return serve(&options);
}
