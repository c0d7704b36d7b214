/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What this machine's io_uring can do, and if it can't, one line that says what is in the way and
 * what helps. Linux 6.1 is the floor: every flag and operation that core/ needs is in it. The rest
 * is told to who can use it.
 */
struct probe_features {
        bool recv_bundle;        /* 6.10: one CQE for several provided buffers */
        bool send_zc; /* 6.1: zero-copy sends, gathered too, worth it above some size only */
        bool buffer_incremental; /* 6.12: buffers consumed in pieces */
        bool wait_min; /* 6.12: wait for a batch, but not for long */
};

enum { PROBE_PROBLEM_BYTES_MAX = 320 };

/* Sets up a small ring with the flags that ring_init uses and asks it. 0, or a negative errno
 * with a message for the operator (one line, no newline) in @ret_problem, of
 * PROBE_PROBLEM_BYTES_MAX bytes. Each is untouched otherwise and may be NULL. Any thread; costs
 * some hundred microseconds: once a process. */
int probe_run(struct probe_features *ret_features, char *ret_problem);

/* The same message for an error that ring_init or buffers_init gave; reads this machine's kernel
 * release and sysctl. */
void probe_explain(int error, char *ret_problem);

/* The message alone, a pure function. @error: negative errno. @kernel_release: as uname -r has
 * it. @disabled: kernel.io_uring_disabled, -1 where there is no such sysctl. @memlock_bytes:
 * RLIMIT_MEMLOCK. */
void probe_message(int error, const char *kernel_release, int disabled,
        unsigned long long memlock_bytes, char *ret_problem);

/* "6.1.0-18-amd64" → 6, 1. False when it is not a release. Pure. */
bool probe_parse_release(const char *kernel_release, unsigned *ret_major, unsigned *ret_minor);
