/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that waits for signals and handles them: that can take too long for a ring. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct signal_thread {
        void (*on_signal)(void);
        void (*on_wake)(void); /* may be NULL */
        uint64_t
                due_ns; /* on CLOCK_MONOTONIC, set by its own callbacks: when on_wake is called next; 0: never */
        sigset_t set;
        pthread_t thread;
        bool is_started;
        atomic_bool is_ending;
};

/*
 * Calls @on_signal for each signal of @set, which is blocked on all threads, also for those that are pending already. 0 or a
 * negative errno. @thread must be all zeros except on_wake.
 */
int signal_thread_start(struct signal_thread *thread, const sigset_t *set, void (*on_signal)(void));

/* Makes the thread call on_wake, which was set before the start; several requests may become one call. Only while it runs. */
void signal_thread_wake(struct signal_thread *thread);

/* Ends the thread and waits for it. No-op if it was never started. */
void signal_thread_stop(struct signal_thread *thread);
