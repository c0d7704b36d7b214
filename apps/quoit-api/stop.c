/* SPDX-License-Identifier: MIT */
#include "stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common/clock.h"
#include "../common/notify.h"
#include "../common/program.h"
#include "../common/signal_thread.h"
#include "keeper.h"
#include "restart.h"

#define LAST_LINE_MS 1000
#define NS_PER_MS UINT64_C(1000000)

static void see(void);

static struct signal_thread thread = { .on_wake = see };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static quoit_server *serving; /* under the mutex; NULL: not yet */
static struct stop_options options;

static unsigned signals; /* the thread's: signals to stop that this process got */
static atomic_uint forwarded; /* stops that another process has forwarded */
static unsigned seen; /* how many were handled */
static uint64_t duck_end_ns; /* 0: the server may be stopped */

/* The main thread may be looking up a name or reading a file: nothing is lost if the process ends now. Under the mutex. */
static void __attribute__((noreturn)) end_at_once(void)
{
        quoit_log_writer_printf(program_log, "stopped");
        quoit_log_writer_flush(program_log, LAST_LINE_MS);
        _exit(EXIT_SUCCESS);
}

/* Only the process that serves has a lame-duck time: one that has handed over has no listeners for clients to find. */
static void begin(void)
{
        if (!restart_forbid())
                return;
        notify_stopping();
        if (options.lame_duck_ms == 0)
                return;
        if (options.health)
                quoit_health_suspend(options.health);
        duck_end_ns = clock_now_ns() + options.lame_duck_ms * NS_PER_MS;
        thread.due_ns = duck_end_ns;
        quoit_log_writer_printf(program_log,
                "stop requested: health is NOT_SERVING, everything is served for %u ms more (lame "
                "duck)",
                options.lame_duck_ms);
}

static void end_lame_duck(void)
{
        duck_end_ns = thread.due_ns = 0;
}

/* Handles one stop. The one that ends the lame-duck time counts as a first stop. */
static void take(void)
{
        predecessor_tell_stop(options.predecessor);
        keeper_pass_on('T', 0);
        if (seen++ == 0)
                begin();
        else
                end_lame_duck();
        if (duck_end_ns == 0)
                quoit_server_stop(serving);
}

/* Handles forwarded stops and the end of the lame-duck time. */
static void see(void)
{
        pthread_mutex_lock(&mutex);
        while (serving &&
                seen < (signals > atomic_load(&forwarded) ? signals : atomic_load(&forwarded)))
                take();
        if (duck_end_ns > 0 && clock_now_ns() >= duck_end_ns) {
                end_lame_duck();
                quoit_server_stop(serving);
        }
        pthread_mutex_unlock(&mutex);
}

static void on_signal(void)
{
        pthread_mutex_lock(&mutex);
        if (!serving)
                end_at_once();
        pthread_mutex_unlock(&mutex);
        signals++;
        see();
}

int stop_begin(void)
{
        sigset_t set = program_signals((const int[]){ SIGTERM, SIGINT, 0 });

        return signal_thread_start(&thread, &set, on_signal);
}

void stop_gracefully(quoit_server *server, const struct stop_options *wanted)
{
        pthread_mutex_lock(&mutex);
        options = *wanted;
        serving = server;
        pthread_mutex_unlock(&mutex);
}

void stop_forwarded(void)
{
        atomic_fetch_add(&forwarded, 1);
        signal_thread_wake(&thread);
}

void stop_end(void)
{
        signal_thread_stop(&thread);
}
