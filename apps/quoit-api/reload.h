/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/*
 * quoit-api --reload PID: sends SIGUSR2 to a server and reports the result. For systemd's ExecReload=, which fails if it fails.
 */

/* Sends it to @pid, waits, and logs errors. Returns the exit status. */
int reload(pid_t pid);

/* The server's part: answers process @sender, if it is a --reload that waits: done, "", or @why it failed. */
void reload_answer(pid_t sender, const char *why);
