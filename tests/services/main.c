/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static calls_Calls_service service;
static struct test_server test;

static void on_signal(int signal_number)
{
        (void)signal_number;
        quoit_server_stop(test.server);
}

static unsigned drain_ms;

static void on_drain(int signal_number)
{
        (void)signal_number;
        quoit_server_drain(test.server, drain_ms);
}

static quoit_log_writer *log_writer;

static int offload(bool all)
{
        static const char *const blocking[] = { "/calls.Calls/Sleep", "/calls.Calls/BlockingCount",
                "/calls.Calls/BlockingParts" };
        const quoit_method_options options = { .offload = true };
        int r = 0;

        if (all) {
                r = quoit_server_set_method(test.server, "/growth.Growth/*", &options);
                return r < 0 ? r : quoit_server_set_method(test.server, "/calls.Calls/*", &options);
        }
        for (size_t i = 0; r == 0 && i < sizeof(blocking) / sizeof(*blocking); i++)
                r = quoit_server_set_method(test.server, blocking[i], &options);
        return r;
}

/* With TLS where there is a certificate. */
static int listen_on(const char *address, const struct options *options)
{
        quoit_tls *tls = NULL;
        int r;

        if (!options->certificate_file)
                return quoit_server_listen(test.server, address, NULL);
        r = quoit_tls_new(&options->tls, &tls);
        if (r < 0)
                return r;
        r = quoit_tls_add_certificate(tls, options->certificate_file, options->key_file);
        if (r < 0)
                quoit_log_writer_printf(log_writer, "%s", quoit_tls_problem(tls));
        else
                r = quoit_server_listen_tls(test.server, address, tls, NULL);
        quoit_tls_free(tls); /* the server has its own reference */
        return r;
}

static int listen_on_all(const struct options *options)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < options->address_count; i++)
                r = listen_on(options->addresses[i], options);
        if (r == 0 && options->admin)
                r = quoit_server_listen_admin(test.server, options->admin, NULL, NULL);
        for (unsigned i = 0; r == 0 && i < quoit_server_listener_count(test.server); i++)
                quoit_log_writer_printf(log_writer, "listening on %s",
                        quoit_server_listener_address(test.server, i));
        return r;
}

/* Nothing but the descriptor tells when to step: no timeout, no signal (EINTR is no reason). */
static int run_in_a_loop(void)
{
        struct pollfd polled[] = { { .events = POLLIN }, { .events = POLLIN } };
        int r = quoit_server_start(test.server);

        if (r < 0)
                return r;
        polled[0].fd = quoit_server_fd(test.server);
        polled[1].fd = misuse_timer();
        if (polled[0].fd < 0)
                return polled[0].fd;
        do {
                r = 1;
                if (poll(polled, 2, -1) < 0 && errno != EINTR)
                        return -errno;
                if (polled[0].revents)
                        r = quoit_server_step(test.server);
                else if (polled[1].revents)
                        misuse_outside();
        } while (r > 0);
        return r;
}

static int serve(const struct options *options)
{
        int r;

        health_add(&service);
        peer_add(&service);
        unary_add(&service);
        streams_add(&service);
        metrics_add(&service);
        compressed_add(&service);
        details_add(&service);
        misuse_add(&service);
        r = calls_Calls_register(test.server, &service, &test);
        if (r == 0)
                r = growth_register(test.server);
        if (r == 0)
                r = quoit_health_register(test.server, &test.health);
        if (r == 0)
                r = options->target_count > 0 ? calling_begin(&test, options) : 0;
        if (r == 0)
                r = quoit_channelz_register_clients(test.server, &test.client, test.client != NULL);
        if (r == 0)
                r = offload(options->offload_all);
        if (r == 0 && options->generic)
                r = generic_add(&test, options->offload_all);
        if (r == 0 && options->http)
                r = http_add(&test, options->admin ? QUOIT_HTTP_ADMIN : QUOIT_HTTP_ORDINARY);
        if (r == 0 && options->load)
                r = loads_add(&test, options->load);
        if (r == 0 && options->metrics)
                r = quoit_metrics_new(&test.metrics);
        if (r == 0 && options->metrics)
                r = quoit_metrics_attach(test.metrics, test.server);
        if (r == 0 && options->metrics && options->http)
                r = quoit_exposition_handle_http(test.server,
                        options->admin ? QUOIT_HTTP_ADMIN : QUOIT_HTTP_ORDINARY,
                        &(quoit_exposition_sources){
                                .metrics = test.metrics, .server = test.server });
        if (r == 0)
                r = quoit_server_set_cors(test.server, &options->cors);
        if (r == 0 && options->intercept)
                r = intercept(test.server);
        for (unsigned i = 0; r == 0 && i < options->method_count; i++)
                r = set_method(test.server, options->methods[i], options->offload_all);
        if (r == 0)
                r = listen_on_all(options);
        if (r < 0)
                return r;
        r = options->loop ? run_in_a_loop() : quoit_server_run(test.server);
        if (r == 0)
                quoit_log_writer_printf(
                        log_writer, "stopped, %lld running", atomic_load(&test.running));
        return r;
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

int main(int argc, char **argv)
{
        struct sigaction action = { .sa_handler = on_signal };
        struct options options;
        int r;

        mask_signals(SIG_BLOCK);
        options_parse(&options, argc, argv);
        options.server.on_log = quoit_log_writer_log;
        r = quoit_log_writer_new(&(quoit_log_writer_options){ .name = "test-server" }, &log_writer);
        options.server.log_user = log_writer;
        if (r == 0)
                r = quoit_server_new(&options.server, &test.server);
        if (r < 0) {
                fprintf(stderr, "test-server: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        sigaction(SIGTERM, &action, NULL);
        drain_ms = options.drain_ms;
        signal(SIGUSR2, on_drain);
        mask_signals(SIG_UNBLOCK);
        r = serve(&options);
        signal(SIGUSR2, SIG_IGN);
        signal(SIGTERM, SIG_IGN); /* a second one has nothing to stop any more */
        if (r < 0)
                quoit_log_writer_printf(log_writer, "%s", quoit_server_problem(test.server));
        usleep(options.linger_ms * 1000);
        quoit_client_free(test.client);
        quoit_server_free(test.server);
        quoit_log_writer_free(log_writer);
        quoit_metrics_free(test.metrics);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
