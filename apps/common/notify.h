/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* Notifications of a Type=notify service to systemd: sd_notify(3). They do nothing where $NOTIFY_SOCKET is not set. */

/* It serves. */
void notify_ready(void);

/* It stops, and finishes its calls. Async-signal-safe. */
void notify_stopping(void);

/* It handles SIGHUP or SIGUSR2; it is done, "", or failed: @why. With Type=notify-reload systemd waits for it. */
void notify_reloading(void);
void notify_reloaded(const char *why);

/* It is done, and the service's main process is @pid from here on. */
void notify_main_pid(pid_t pid);
