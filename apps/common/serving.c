/* SPDX-License-Identifier: MIT */
#include "serving.h"

#include <string.h>

#include "notify.h"
#include "program.h"
#include "signal_thread.h"

static quoit_server *serving;

static void on_stop(void)
{
        notify_stopping();
        quoit_server_stop(serving);
}

static void announce(unsigned admin_first)
{
        for (unsigned i = 0; i < quoit_server_listener_count(serving); i++)
                quoit_log_writer_printf(program_log, "%slistening on %s",
                        i >= admin_first ? "admin: " : "",
                        quoit_server_listener_address(serving, i));
        notify_ready();
}

const char *serve_until_stopped(quoit_server *server, unsigned admin_first)
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
                announce(admin_first);
        run = quoit_server_run(server);
        signal_thread_stop(&stopper);
        if (run < 0)
                return quoit_server_problem(server);
        return thread < 0 ? strerror(-thread) : NULL;
}
