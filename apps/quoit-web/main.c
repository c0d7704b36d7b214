/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "../common/access.h"
#include "../common/hangup.h"
#include "../common/host_port.h"
#include "../common/http.h"
#include "../common/probe.h"
#include "../common/program.h"
#include "../common/sandbox.h"
#include "../common/serving.h"
#include "../common/trace.h"
#include "backend.h"
#include "files.h"
#include "options.h"
#include "page.h"
#include "panel.h"
#include "relay.h"

static quoit_server *server;
static quoit_tls *tls; /* NULL: no TLS */
static struct backend backend;
static struct site site = { .backend = &backend };

/* Ends the program after everything is freed; first the thread that uses it. */
static void __attribute__((noreturn)) end(int status)
{
        hangup_stop();
        backend_deinit(&backend);
        quoit_server_free(server);
        quoit_tls_free(tls);
        access_stop();
        http_end();
        trace_stop();
        program_exit(status);
}

static void __attribute__((noreturn)) fail(const char *problem)
{
        program_say(QUOIT_LOG_ERROR, "%s", problem);
        end(EXIT_FAILURE);
}

/* ---- where it listens ---- */

static int listen_on(const char *address)
{
        return quoit_server_listen_with(
                server, address, &(quoit_listener_options){ .tls = tls }, NULL);
}

static int listen_on_port(const struct options *options)
{
        char address[HOST_PORT_BYTES];

        if (!host_port_print(address, options->host, (unsigned)options->port))
                program_usage_error("'%s' is too long for a host", options->host);
        return listen_on(address);
}

/* *@ret_admin_first: the first listener of operators. */
static int listen_everywhere(const struct options *options, unsigned *ret_admin_first)
{
        int r = options->addresses.count == 0 ? listen_on_port(options) : 0;

        for (unsigned i = 0; r == 0 && i < options->addresses.count; i++)
                r = listen_on(options->addresses.texts[i]);
        *ret_admin_first = quoit_server_listener_count(server);
        if (r == 0 && options->http.admin)
                r = quoit_server_listen_admin(server, options->http.admin, NULL, NULL);
        return r;
}

/* ---- what it serves ---- */

static int add_operators(const struct options *options)
{
        quoit_health *health;
        int r = quoit_health_register(server, &health);

        return r < 0 ? r : http_begin(server, health, backend.channel, &options->http);
}

static int add_services(void)
{
        int r = api_Api_register(server, &relay_service, &backend);

        if (r == 0)
                r = web_Panel_register(server, &panel_service, &backend);
        if (r == 0)
                r = page_register(server, &site);
        return r < 0 ? r : files_register(server);
}

static void serve(const struct options *options)
{
        unsigned admin_first;
        const char *problem;
        int r;

        if (!access_start(server, &options->access))
                end(EXIT_FAILURE);
        if (options->secure.certificates.count > 0 && !(tls = secure_begin(&options->secure)))
                end(EXIT_FAILURE);
        if (!backend_init(&backend, server, options->backend, options->backend_ca) ||
                !trace_start(server, backend.channel, &options->trace))
                end(EXIT_FAILURE);
        site.backend_url = options->backend_url;
        site.backend_port = (unsigned)options->backend_port;
        if (add_operators(options) < 0 || add_services() < 0 ||
                listen_everywhere(options, &admin_first) < 0)
                fail(quoit_server_problem(server));
        r = hangup_start();
        if (r < 0)
                fail(strerror(-r));
        problem = serve_until_stopped(server, admin_first);
        if (problem)
                fail(problem);
        quoit_log_writer_printf(program_log, "stopped");
}

/* --health-check, of the server that these options make. */
static int ask(const struct options *options)
{
        return probe(&options->probe, &(struct probe_server){ .addresses = &options->addresses,
                                              .host = options->host,
                                              .port = options->port,
                                              .uses_tls = options->secure.certificates.count > 0 });
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        program_begin("quoit-web");
        options_read(&options, argc, argv);
        if (options.probe.is_wanted)
                program_exit(ask(&options));
        if (!sandbox_begin(&options.sandbox, options.engine,
                    &(struct sandbox_paths){ .log = options.access.path,
                            .sockets = options.addresses.texts,
                            .socket_count = options.addresses.count,
                            .admin = options.http.admin }))
                program_exit(EXIT_FAILURE);
        quoit_log_writer_tell_time(program_log);
        r = quoit_server_new(&(quoit_server_options){ .rings = options.rings,
                                     .engine = options.engine,
                                     .limits = { .drain_ms = options.drain_ms },
                                     .on_log = quoit_log_writer_log,
                                     .log_user = program_log },
                &server);
        if (r < 0)
                fail(strerror(-r));
        serve(&options);
        end(EXIT_SUCCESS);
}
