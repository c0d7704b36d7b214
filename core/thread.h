/* SPDX-License-Identifier: MIT */
#pragma once

/* Threads, and what ps, top and debuggers call them: "ring 1", "worker 3", "handshake 0". */

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Starts a thread of ours that runs @run(@user), named @what and @number. It blocks all signals: they are the program's. 0 or a
 * negative errno.
 */
int thread_start_named(pthread_t *ret_thread, const char *what, unsigned number,
        void *(*run)(void *user), void *user);

/*
 * Names the calling thread, which is the application's: unless that has given it a name, or it is the main thread, whose name
 * is the process's.
 */
void thread_name_caller(const char *what, unsigned number);

/* The CPU time that a thread of this process has used; 0: there is no such thread. Any thread. */
uint64_t thread_cpu_ns(pid_t tid);
