/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * A seccomp filter (seccomp(2)) for all threads, now and later: what a server takes of the kernel, and no more; @io_uring: that too. What
 * is refused fails with EPERM, or ENOSYS where libc has another way. 0 or a negative errno.
 */
int sandbox_restrict_calls(bool io_uring);
