/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * What this machine's io_uring can do, and if it can't, what is in the way (core/refusal.h). Linux 6.1 is the floor: every flag
 * and operation that core/ needs is in it. Optional features are returned to their users.
 */
struct probe_features {
        bool recv_bundle;        /* 6.10: one CQE for several provided buffers */
        bool send_zc; /* 6.1: zero-copy sends, gathered too, worth it above some size only */
        bool buffer_incremental; /* 6.12: buffers consumed in pieces */
        bool wait_min; /* 6.12: wait for a batch, but not for long */
};

struct refusal;

/* Sets up a small ring with the flags that ring_init uses and asks it. 0, or a negative errno with what was refused in
 * @ret_refusal, its call and error alone. Each is untouched otherwise and may be NULL. Any thread; costs some hundred
 * microseconds: once a process. */
int probe_run(struct probe_features *ret_features, struct refusal *ret_refusal);
