/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* What a service of Type=notify tells systemd: sd_notify(3). Each does nothing where $NOTIFY_SOCKET is not set. */

/* It serves. */
void notify_ready(void);

/* It was told to stop and finishes what it has. Async-signal-safe. */
void notify_stopping(void);

/* It does what SIGHUP or SIGUSR2 asks for; it has done it, "", or @why not. systemd waits, with Type=notify-reload. */
void notify_reloading(void);
void notify_reloaded(const char *why);

/* It has done so: the service's main process is @pid from here on. */
void notify_main_pid(pid_t pid);
