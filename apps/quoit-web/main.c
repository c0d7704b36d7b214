/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "../common/program.h"
#include "../common/serving.h"
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

/* Ends the program after everything is freed. */
static void __attribute__((noreturn)) end(int status)
{
        backend_deinit(&backend);
        quoit_server_free(server);
        quoit_tls_free(tls);
        program_exit(status);
}

static void __attribute__((noreturn)) fail(const char *problem)
{
        program_say(QUOIT_LOG_ERROR, "%s", problem);
        end(EXIT_FAILURE);
}

static void open_tls(const struct options *options)
{
        int r = quoit_tls_new(NULL, &tls);

        if (r < 0)
                fail(strerror(-r));
        if (quoit_tls_add_certificate(tls, options->tls_cert, options->tls_key) < 0)
                fail(quoit_tls_problem(tls));
}

static int listen_on(const char *address)
{
        return tls ? quoit_server_listen_tls(server, address, tls, NULL)
                   : quoit_server_listen(server, address, NULL);
}

static int add_health(void)
{
        quoit_health *health;
        int r = quoit_health_register(server, &health);

        return r < 0 ? r : quoit_health_handle_http(health, server, QUOIT_HTTP_ALL);
}

static void serve(const struct options *options)
{
        const char *problem;

        if (options->tls_cert)
                open_tls(options);
        if (!backend_init(&backend, server, options->backend, options->backend_ca))
                end(EXIT_FAILURE);
        site.backend_url = options->backend_url;
        site.backend_port = options->backend_port;
        if (add_health() < 0 || api_Api_register(server, &relay_service, &backend) < 0 ||
                web_Panel_register(server, &panel_service, &backend) < 0 ||
                page_register(server, &site) < 0 || files_register(server) < 0)
                fail(quoit_server_problem(server));
        for (unsigned i = 0; i < options->address_count; i++)
                if (listen_on(options->addresses[i]) < 0)
                        fail(quoit_server_problem(server));
        problem = serve_until_stopped(server);
        if (problem)
                fail(problem);
        quoit_log_writer_printf(program_log, "stopped");
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        program_begin("quoit-web");
        options_parse(&options, argc, argv);
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
