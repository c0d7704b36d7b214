/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>

/* pthread_create() of a thread that has all signals blocked: the main thread gets them. 0, or a negative errno. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg);
