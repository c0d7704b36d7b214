/* SPDX-License-Identifier: MIT */
#include "stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common/program.h"
#include "../common/signal_thread.h"
#include "notify.h"
#include "restart.h"

#define LAST_LINE_MS 1000

static struct signal_thread thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static quoit_server *serving; /* under the mutex; NULL: not yet */

/* A name is looked up, a file is read: nothing is lost, and the main thread need not come to know. Under the mutex. */
static void __attribute__((noreturn)) end_at_once(void)
{
        quoit_log_writer_printf(program_log, "stopped");
        quoit_log_writer_flush(program_log, LAST_LINE_MS);
        _exit(EXIT_SUCCESS);
}

static void on_signal(void)
{
        pthread_mutex_lock(&mutex);
        if (!serving)
                end_at_once();
        if (restart_forbid())
                notify_stopping();
        quoit_server_stop(serving);
        pthread_mutex_unlock(&mutex);
}

int stop_begin(void)
{
        sigset_t set = program_signals((const int[]){ SIGTERM, SIGINT, 0 });

        return signal_thread_start(&thread, &set, on_signal);
}

void stop_gracefully(quoit_server *server)
{
        pthread_mutex_lock(&mutex);
        serving = server;
        pthread_mutex_unlock(&mutex);
}

void stop_end(void)
{
        signal_thread_stop(&thread);
}
