/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that waits for signals, and does what they ask for: that may take time that no ring has. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct signal_thread {
        void (*on_signal)(void);
        sigset_t set;
        pthread_t thread;
        bool is_started;
        atomic_bool is_ending;
};

/*
 * Calls @on_signal for each of @set, which is blocked on all threads: also for what came before. 0 or a negative errno.
 * @thread is all zeros.
 */
int signal_thread_start(struct signal_thread *thread, const sigset_t *set, void (*on_signal)(void));

/* It has ended. Harmless where it was never started. */
void signal_thread_stop(struct signal_thread *thread);
