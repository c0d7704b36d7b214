/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "access.h"
#include "api.h"
#include "hangup.h"
#include "options.h"

/* What a client takes by default; a larger answer would only fail there. */
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

static quoit_server *server; /* for the signal handler */
static quoit_tls *tls; /* NULL: all is in the clear */

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

/* What main() returns, after all is freed. */
static int end(int status)
{
        on_signals(SIG_DFL); /* the handler must not meet a server that is gone */
        hangup_stop();
        quoit_server_free(server);
        quoit_tls_free(tls);
        access_stop();
        return status;
}

static int fail(void)
{
        fprintf(stderr, "quoit-api: %s\n", quoit_server_problem(server));
        return end(EXIT_FAILURE);
}

/* HOST:PORT, an IPv6 address in brackets. */
static void format_address(char *text, size_t size, const char *host, unsigned port)
{
        bool bare_v6 = strchr(host, ':') && *host != '[';

        snprintf(text, size, bare_v6 ? "[%s]:%u" : "%s:%u", host, port);
}

/* Listens, with TLS unless @with is NULL, and says where. */
static int listen_on(const struct options *options, unsigned port, quoit_tls *with)
{
        char address[512];
        uint16_t bound;
        int r;

        format_address(address, sizeof(address), options->host, port);
        r = with ? quoit_server_listen_tls(server, address, with, &bound)
                 : quoit_server_listen(server, address, &bound);
        if (r < 0)
                return r;
        format_address(address, sizeof(address), *options->host ? options->host : "[::]", bound);
        fprintf(stderr, "quoit-api: %slistening on %s\n", with ? "TLS: " : "", address);
        return 0;
}

/* What clients and operators expect beside the service itself. */
static int add_services(const struct options *options)
{
        quoit_health *health;
        int r = 0;

        if (options->health)
                r = quoit_health_register(server, &health);
        if (options->health && r == 0)
                r = quoit_health_set(health, "api.Api", QUOIT_HEALTH_SERVING);
        return r;
}

static int serve(const struct options *options)
{
        static struct api_limits limits = { .message_bytes_max = MESSAGE_BYTES_MAX };
        const struct secure_options *secure = &options->secure;
        int r;

        if (!access_start(server, options->access_log, options->access_log_json))
                return end(EXIT_FAILURE);
        if (api_Api_register(server, &api_service, &limits) < 0 || add_services(options) < 0)
                return fail();
        if (options->workers > 0 && quoit_server_set_method(server, "/api.Api/*",
                                            &(quoit_method_options){ .offload = true }) < 0)
                return fail();
        if (secure->certificate_count > 0 && !(tls = secure_begin(secure)))
                return end(EXIT_FAILURE);
        r = hangup_start();
        if (r < 0) {
                fprintf(stderr, "quoit-api: cannot start a thread: %s\n", strerror(-r));
                return end(EXIT_FAILURE);
        }
        on_signals(on_signal);
        if (tls && secure->port >= 0 && listen_on(options, (unsigned)secure->port, tls) < 0)
                return fail();
        if (listen_on(options, options->port, secure->port < 0 ? tls : NULL) < 0)
                return fail();
        if (quoit_server_run(server) < 0)
                return fail();
        fprintf(stderr, "quoit-api: stopped\n");
        return end(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        options_parse(&options, argc, argv);
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .workers = options.workers,
                                     .handshake_threads = options.handshake_threads,
                                     .limits.message_send_bytes_max = MESSAGE_BYTES_MAX,
                                     .on_log = on_log },
                &server);
        if (r < 0) {
                fprintf(stderr, "quoit-api: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        return serve(&options);
}
