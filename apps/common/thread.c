/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <signal.h>

int thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg)
{
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(ret_thread, NULL, run, arg);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}
