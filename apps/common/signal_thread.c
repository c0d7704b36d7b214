/* SPDX-License-Identifier: MIT */
#include "signal_thread.h"

#include <errno.h>

#include "clock.h"
#include "thread.h"

#define WAKE SIGUSR1 /* sent to this thread only */
#define NS_PER_S UINT64_C(1000000000)

/* Waits for a signal. Returns WAKE also when @due_ns has passed. */
static int await(struct signal_thread *thread)
{
        for (;;) {
                uint64_t now_ns = clock_now_ns(), left_ns = 0;
                int number;

                if (thread->due_ns > now_ns)
                        left_ns = thread->due_ns - now_ns;
                number = thread->due_ns == 0
                                 ? sigwaitinfo(&thread->set, NULL)
                                 : sigtimedwait(&thread->set, NULL,
                                           &(struct timespec){ (time_t)(left_ns / NS_PER_S),
                                                   (long)(left_ns % NS_PER_S) });
                if (number > 0)
                        return number;
                if (errno == EAGAIN) {
                        thread->due_ns = 0;
                        return WAKE;
                }
        }
}

static void *run(void *user)
{
        struct signal_thread *thread = user;

        for (;;) {
                int number = await(thread);

                if (atomic_load(&thread->is_ending))
                        return NULL;
                if (number != WAKE)
                        thread->on_signal();
                else if (thread->on_wake)
                        thread->on_wake();
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

void signal_thread_wake(struct signal_thread *thread)
{
        pthread_kill(thread->thread, WAKE);
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
