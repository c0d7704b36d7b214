/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* quoit-api --reload PID: SIGUSR2 to a server, and what became of it. For systemd's ExecReload=, which is to fail when it fails. */

/* Sends it to @pid and waits; what is wrong is said. The exit status. */
int reload(pid_t pid);

/* The server's part: tells process @sender, where it is one of these and waits, that it is done, "", or @why not. */
void reload_answer(pid_t sender, const char *why);
