/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "../common/access.h"
#include "../common/hangup.h"
#include "../common/notify.h"
#include "../common/probe.h"
#include "../common/program.h"
#include "../common/sandbox.h"
#include "../common/trace.h"
#include "api.h"
#include "doors.h"
#include "keeper.h"
#include "options.h"
#include "reload.h"
#include "restart.h"
#include "root.h"
#include "stop.h"

/* The default limit of clients; a larger answer would only fail there. */
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

static quoit_server *server;
static quoit_tls *tls; /* NULL: no TLS */
static struct doors doors = { .predecessor.link_fd = -1 };
static struct stop_options stop_options;

/* Ends the program after everything is freed; first the threads that use it. */
static void __attribute__((noreturn)) end(int status)
{
        if (status == EXIT_SUCCESS)
                predecessor_await(&doors.predecessor);
        stop_end();
        hangup_stop();
        restart_end();
        quoit_server_free(server);
        quoit_tls_free(tls);
        doors_deinit(&doors);
        access_stop();
        http_end();
        trace_stop();
        program_exit(keeper_wait(status));
}

static void __attribute__((noreturn)) fail(const char *problem)
{
        program_say(QUOIT_LOG_ERROR, "%s", problem);
        end(EXIT_FAILURE);
}

/* The services that clients and operators expect in addition to the Api. */
static int add_services(const struct options *options)
{
        int r = 0;

        if (options->health)
                r = quoit_health_register(server, &stop_options.health);
        if (options->health && r == 0)
                r = quoit_health_set(stop_options.health, "api.Api", QUOIT_HEALTH_SERVING);
        if (options->reflection && r == 0)
                r = quoit_reflection_register(server, NULL, 0);
        if (options->channelz && r == 0)
                r = quoit_channelz_register(server);
        if (r == 0)
                r = http_begin(server, stop_options.health, NULL, &options->http);
        if (r == 0)
                r = root_register(server, stop_options.health);
        if (r == 0)
                r = quoit_server_set_cors(
                        server, &(quoit_cors_options){ .origins = options->cors_origins.texts,
                                        .origin_count = options->cors_origins.count,
                                        .credentials = options->cors_credentials });
        return r;
}

static void check_thread(int r)
{
        if (r == 0)
                return;
        program_say(QUOIT_LOG_ERROR, "cannot start a thread: %s%s", strerror(-r),
                r == -EAGAIN ? "; raise RLIMIT_NPROC (ulimit -u), or pids.max of the cgroup" : "");
        end(EXIT_FAILURE);
}

/* From here on clients can connect. */
static int start_serving(void)
{
        int r = quoit_server_start(server);

        if (r < 0)
                return r;
        stop_gracefully(server, &stop_options);
        doors_announce(&doors);
        keeper_tell_main();
        if (doors.predecessor.listeners)
                predecessor_relieve(&doors.predecessor); /* which notifies systemd */
        else
                notify_ready();
        return 0;
}

static void run(const struct options *options, char **argv)
{
        int restarts;

        if (start_serving() < 0)
                fail(quoit_server_problem(server));
        restarts = restart_begin(&(struct restart_options){
                .argv = argv, .doors = &doors, .drain_ms = options->restart_drain_ms });
        if (restarts < 0)
                quoit_server_stop(server);
        if (quoit_server_run(server) < 0)
                fail(quoit_server_problem(server));
        check_thread(restarts);
        quoit_log_writer_printf(program_log, "stopped");
}

/* The process that serves is another one, if this one is its keeper. */
static void pass_on_hangup(void *user)
{
        (void)user;
        keeper_pass_on('H', 0);
}

static void serve(const struct options *options, char **argv)
{
        static struct api_limits limits = { .message_bytes_max = MESSAGE_BYTES_MAX };

        if (!access_start(server, &options->access))
                end(EXIT_FAILURE);
        if (!trace_start(server, NULL, &options->trace))
                end(EXIT_FAILURE);
        if (api_Api_register(server, &api_service, &limits) < 0 || add_services(options) < 0)
                fail(quoit_server_problem(server));
        if (options->workers > 0 && quoit_server_set_method(server, "/api.Api/*",
                                            &(quoit_method_options){ .offload = true }) < 0)
                fail(quoit_server_problem(server));
        if (options->secure.certificates.count > 0 && !(tls = secure_begin(&options->secure)))
                end(EXIT_FAILURE);
        doors.server = server;
        predecessor_read_environment(&doors.predecessor);
        keeper_read_environment();
        stop_options.predecessor = &doors.predecessor;
        stop_options.lame_duck_ms = options->lame_duck_ms;
        if (doors_open(&doors, options, tls) < 0)
                fail(quoit_server_problem(server));
        hangup_add(pass_on_hangup, NULL);
        check_thread(hangup_start());
        run(options, argv);
}

/* --health-check, of the server that these options make: doors.c. */
static int ask(const struct options *options)
{
        return probe(&options->probe, &(struct probe_server){ .addresses = &options->addresses,
                                              .host = options->host,
                                              .port = options->port,
                                              .uses_tls = options->secure.certificates.count > 0 &&
                                                          options->tls_port < 0 });
}

/* Until there is a server, a line says what is wrong with its options. */
static void log_line(void *user, quoit_log_level level, const char *line)
{
        if (!server)
                program_usage_error("%s", line);
        quoit_log_writer_log(user, level, line);
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        predecessor_step_aside();
        program_begin("quoit-api");
        options_read(&options, argc, argv);
        if (options.reload_pid > 0)
                program_exit(reload(options.reload_pid));
        if (options.probe.is_wanted)
                program_exit(ask(&options));
        if (!sandbox_begin(&options.sandbox, options.engine,
                    &(struct sandbox_paths){ .log = options.access.path,
                            .sockets = options.addresses.texts,
                            .socket_count = options.addresses.count,
                            .admin = options.http.admin }))
                program_exit(EXIT_FAILURE);
        check_thread(stop_begin());
        options.limits.message_send_bytes_max = MESSAGE_BYTES_MAX;
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .engine = options.engine,
                                     .workers = options.workers,
                                     .handshake_threads = options.handshake_threads,
                                     .unix_mode = options.unix_mode,
                                     .limits = options.limits,
                                     .on_log = log_line,
                                     .log_user = program_log },
                &server);
        if (r < 0)
                fail(strerror(-r));
        quoit_log_writer_tell_time(program_log);
        serve(&options, argv);
        end(EXIT_SUCCESS);
}
