/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/engine.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

uint64_t system_now(void)
{
        return clock_now_ns();
}

int system_random(void *bytes, size_t size)
{
        unsigned char *next = bytes;

        while (size > 0) {
                ssize_t got = getrandom(next, size, 0);

                if (got < 0 && errno != EINTR)
                        return -errno;
                if (got > 0) {
                        next += got;
                        size -= (size_t)got;
                }
        }
        return 0;
}

void system_refuse(struct ring *ring, int fd)
{
        (void)ring;
        close(fd);
}
