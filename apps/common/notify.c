/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

/* The service does not care whether anybody receives it. */
static void notify(const char *text)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int error = errno, fd;

        if (!path || !*path || strlen(path) >= sizeof(address.sun_path))
                return;
        strcpy(address.sun_path, path);
        if (*path == '@')
                address.sun_path[0] = '\0'; /* an abstract one */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0) {
                (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
                close(fd);
        }
        errno = error;
}

void notify_ready(void)
{
        notify("READY=1");
}

void notify_stopping(void)
{
        notify("STOPPING=1");
}

void notify_reloading(void)
{
        char text[96];

        snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
        notify(text);
}

void notify_reloaded(const char *why)
{
        char text[512];

        snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", why);
        notify(text);
}

void notify_main_pid(pid_t pid)
{
        char text[64];

        snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\nSTATUS=", pid);
        notify(text);
}
