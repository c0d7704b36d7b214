/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A seccomp filter (seccomp(2)) for all threads, now and later: what a server takes of the kernel, and no more. 0 or a negative errno.
 */
int sandbox_restrict_calls(void);
