/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* What a service of Type=notify tells systemd: sd_notify(3). Each does nothing where $NOTIFY_SOCKET is not set. */

/* It serves. */
void notify_ready(void);

/* It was told to stop and finishes what it has. Async-signal-safe. */
void notify_stopping(void);

/* From here on the service's main process is @pid. */
void notify_main_pid(pid_t pid);
