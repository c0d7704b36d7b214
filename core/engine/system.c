/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/engine.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t system_now(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

uint64_t system_now_coarse(void)
{
        return read_clock(CLOCK_MONOTONIC_COARSE);
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

void system_on_accepted(struct op *op, struct completion completion)
{
        struct accept_op *accept = CONTAINER_OF(op, struct accept_op, op);

        if (completion.result >= 0)
                endpoint_of_peer(completion.result, &accept->peer);
        accept->on_accept(accept, completion);
}

void system_refuse(struct ring *ring, int fd)
{
        (void)ring;
        close(fd);
}
