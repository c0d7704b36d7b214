/* SPDX-License-Identifier: MIT */
#include "stop_signals.h"

#include <errno.h>
#include <sys/signalfd.h>

int stop_signals_open(sigset_t *ret_before)
{
        sigset_t set;
        int fd;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        pthread_sigmask(SIG_BLOCK, &set, ret_before);
        return fd;
}
