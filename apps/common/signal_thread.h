/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that waits for signals, and does what they ask for: that may take time that no ring has. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct signal_thread {
        void (*on_signal)(void);
        void (*on_wake)(void); /* may be NULL */
        uint64_t
                due_ns; /* by CLOCK_MONOTONIC, for its own callbacks: when on_wake is called next; 0: never */
        sigset_t set;
        pthread_t thread;
        bool is_started;
        atomic_bool is_ending;
};

/*
 * Calls @on_signal for each of @set, which is blocked on all threads: also for what came before. 0 or a negative errno.
 * @thread is all zeros, but for on_wake.
 */
int signal_thread_start(struct signal_thread *thread, const sigset_t *set, void (*on_signal)(void));

/* Has @on_wake called there, which was set before the start; calls that come at once may be one. While it runs. */
void signal_thread_wake(struct signal_thread *thread);

/* By the clock of @due_ns. */
uint64_t signal_thread_now_ns(void);

/* It has ended. Harmless where it was never started. */
void signal_thread_stop(struct signal_thread *thread);
