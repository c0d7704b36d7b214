/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "access.h"
#include "api.h"
#include "doors.h"
#include "hangup.h"
#include "notify.h"
#include "options.h"
#include "restart.h"

/* What a client takes by default; a larger answer would only fail there. */
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

static quoit_server *server; /* for the signal handler */
static quoit_tls *tls; /* NULL: all is in the clear */
static struct doors doors;

static void on_signal(int signal_number)
{
        (void)signal_number;
        if (restart_forbid())
                notify_stopping();
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
        on_signals(SIG_DFL); /* the handler must not meet a server that is gone, nor must these: */
        hangup_stop();
        restart_end();
        quoit_server_free(server);
        quoit_tls_free(tls);
        doors_deinit(&doors);
        access_stop();
        return status;
}

static int fail(void)
{
        fprintf(stderr, "quoit-api: %s\n", quoit_server_problem(server));
        return end(EXIT_FAILURE);
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
        if (options->reflection && r == 0)
                r = quoit_reflection_register(server, NULL, 0);
        if (options->channelz && r == 0)
                r = quoit_channelz_register(server);
        return r;
}

/* The threads that wait for signals. */
static int start_threads(char **argv)
{
        int r = hangup_start();

        if (r == 0)
                r = restart_begin(argv, &doors);
        if (r < 0)
                fprintf(stderr, "quoit-api: cannot start a thread: %s\n", strerror(-r));
        return r;
}

/* From here on somebody may come. */
static int start_serving(void)
{
        int r = quoit_server_start(server);

        if (r < 0)
                return r;
        doors_announce(&doors);
        if (doors.predecessor.listeners)
                predecessor_relieve(&doors.predecessor); /* which tells systemd */
        else
                notify_ready();
        return 0;
}

static int serve(const struct options *options, char **argv)
{
        static struct api_limits limits = { .message_bytes_max = MESSAGE_BYTES_MAX };

        if (!access_start(server, options->access_log, options->access_log_json))
                return end(EXIT_FAILURE);
        if (api_Api_register(server, &api_service, &limits) < 0 || add_services(options) < 0)
                return fail();
        if (options->workers > 0 && quoit_server_set_method(server, "/api.Api/*",
                                            &(quoit_method_options){ .offload = true }) < 0)
                return fail();
        if (options->secure.certificate_count > 0 && !(tls = secure_begin(&options->secure)))
                return end(EXIT_FAILURE);
        doors.server = server;
        predecessor_meet(&doors.predecessor);
        if (doors_open(&doors, options, tls) < 0)
                return fail();
        if (start_threads(argv) < 0)
                return end(EXIT_FAILURE);
        on_signals(on_signal);
        if (start_serving() < 0 || quoit_server_run(server) < 0)
                return fail();
        fprintf(stderr, "quoit-api: stopped\n");
        return end(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        signal(SIGPIPE, SIG_IGN); /* neither a log nor a predecessor that has gone may end us */
        options_parse(&options, argc, argv);
        options.limits.message_send_bytes_max = MESSAGE_BYTES_MAX;
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .workers = options.workers,
                                     .handshake_threads = options.handshake_threads,
                                     .unix_mode = options.unix_mode,
                                     .limits = options.limits,
                                     .on_log = on_log },
                &server);
        if (r < 0) {
                fprintf(stderr, "quoit-api: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        return serve(&options, argv);
}
