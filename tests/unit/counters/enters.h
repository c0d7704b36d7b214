/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counts the system calls that a thread makes from outside of libc, which are liburing's: it has
 * them inline, so that no function could be replaced. By Syscall User Dispatch (Linux 5.11): the
 * kernel sends the thread a SIGSYS instead, and the handler counts and makes the call from libc.
 */

#include <stdint.h>

/*
 * From now on the calling thread's io_uring_enter calls are counted; each takes some microseconds
 * more. 0; -ENOSYS where the kernel or the processor's port has no such thing.
 */
int enters_watch_this_thread(void);

/* How many the watched threads have made so far. Any thread. */
uint64_t enters_now(void);
