/* SPDX-License-Identifier: MIT */
#include "signal_thread.h"

#include "thread.h"

#define WAKE SIGUSR1 /* sent to the thread alone */

static void *run(void *user)
{
        struct signal_thread *thread = user;
        int number = WAKE;

        for (;;) {
                sigwait(&thread->set, &number);
                if (atomic_load(&thread->is_ending))
                        return NULL;
                if (number != WAKE)
                        thread->on_signal();
        }
}

int signal_thread_start(struct signal_thread *thread, const sigset_t *set, void (*on_signal)(void))
{
        int r;

        thread->on_signal = on_signal;
        thread->set = *set;
        sigaddset(&thread->set, WAKE);
        r = thread_start(&thread->thread, run, thread);
        thread->is_started = r == 0;
        return r;
}

void signal_thread_stop(struct signal_thread *thread)
{
        if (!thread->is_started)
                return;
        atomic_store(&thread->is_ending, true);
        pthread_kill(thread->thread, WAKE);
        pthread_join(thread->thread, NULL);
        thread->is_started = false;
}
