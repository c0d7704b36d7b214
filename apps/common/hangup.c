/* SPDX-License-Identifier: MIT */
#include "hangup.h"

#include <assert.h>
#include <stddef.h>

#include "notify.h"
#include "program.h"
#include "signal_thread.h"

#define WORKS_MAX 8

static struct {
        void (*on_hangup)(void *user);
        void *user;
} works[WORKS_MAX];
static unsigned work_count;
static struct signal_thread thread;

void hangup_add(void (*on_hangup)(void *user), void *user)
{
        assert(work_count < WORKS_MAX && !thread.is_started);
        works[work_count].on_hangup = on_hangup;
        works[work_count++].user = user;
}

static void on_signal(void)
{
        notify_reloading();
        for (unsigned i = 0; i < work_count; i++)
                works[i].on_hangup(works[i].user);
        notify_reloaded("");
}

int hangup_start(void)
{
        sigset_t set = program_signals((const int[]){ SIGHUP, 0 });

        return signal_thread_start(&thread, &set, on_signal);
}

void hangup_stop(void)
{
        signal_thread_stop(&thread);
}
