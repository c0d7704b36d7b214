/* SPDX-License-Identifier: MIT */
#include "hangup.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "thread.h"

#define WORKS_MAX 8

static struct {
        void (*on_hangup)(void *user);
        void *user;
} works[WORKS_MAX];
static unsigned work_count;
static pthread_t thread;
static bool started;
static atomic_bool stopping;

void hangup_add(void (*on_hangup)(void *user), void *user)
{
        assert(work_count < WORKS_MAX && !started);
        works[work_count].on_hangup = on_hangup;
        works[work_count++].user = user;
}

static void *run(void *user)
{
        sigset_t hangup;
        int number;

        (void)user;
        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        while (sigwait(&hangup, &number) != 0 || !atomic_load(&stopping)) {
                for (unsigned i = 0; i < work_count; i++)
                        works[i].on_hangup(works[i].user);
        }
        return NULL;
}

int hangup_start(void)
{
        sigset_t hangup;
        int r;

        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &hangup, NULL);
        r = thread_start(&thread, run, NULL);
        started = r == 0;
        return r;
}

void hangup_stop(void)
{
        if (!started)
                return;
        atomic_store(&stopping, true);
        pthread_kill(thread, SIGHUP);
        pthread_join(thread, NULL);
        started = false;
}
