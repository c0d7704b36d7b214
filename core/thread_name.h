/* SPDX-License-Identifier: MIT */
#pragma once

/* What ps, top and debuggers call a thread: "ring 1", "worker 3", "handshake 0". */

#include <pthread.h>

/* Names a thread of ours. */
void thread_name(pthread_t thread, const char *what, unsigned number);

/*
 * Names the calling thread, which is the application's: unless that has given it a name, or it is the main thread, whose name
 * is the process's.
 */
void thread_name_caller(const char *what, unsigned number);
