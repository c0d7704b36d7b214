/* SPDX-License-Identifier: MIT */
#include "serving.h"

#include <string.h>

#include "program.h"
#include "signal_thread.h"

static quoit_server *serving;

static void on_stop(void)
{
        quoit_server_stop(serving);
}

static void announce(void)
{
        for (unsigned i = 0; i < quoit_server_listener_count(serving); i++)
                quoit_log_writer_printf(
                        program_log, "listening on %s", quoit_server_listener_address(serving, i));
}

const char *serve_until_stopped(quoit_server *server)
{
        sigset_t set = program_signals((const int[]){ SIGTERM, SIGINT, 0 });
        struct signal_thread stopper = { 0 };
        int thread, run;

        if (quoit_server_start(server) < 0)
                return quoit_server_problem(server);
        serving = server;
        thread = signal_thread_start(&stopper, &set, on_stop);
        if (thread < 0)
                quoit_server_stop(server);
        else
                announce();
        run = quoit_server_run(server);
        signal_thread_stop(&stopper);
        if (run < 0)
                return quoit_server_problem(server);
        return thread < 0 ? strerror(-thread) : NULL;
}
