/* SPDX-License-Identifier: MIT */
#include "core/engine/epoll.h"

#include <errno.h>
#include <stdlib.h>

/*
 * The buffer that came back last is lent first: it is in the cache. As on io_uring, where the kernel takes all that a
 * turn brings in one go, no buffer is lent twice a turn. So a ring reads no more in a turn than it has buffers
 * for, and who finds none has its turn next.
 */
struct pool {
        uint64_t turn; /* that `lent` is of */
        unsigned lent; /* in this turn, and those still out from before */
        unsigned count;
        uint16_t ids[];
};

int epoll_buffers_open(struct buffers *buffers)
{
        struct pool *pool = calloc(1, sizeof(*pool) + buffers->count * sizeof(*pool->ids));

        if (!pool)
                return -ENOMEM;
        buffers->lendable = pool;
        return 0;
}

void epoll_buffers_close(struct buffers *buffers)
{
        free(buffers->lendable);
}

void epoll_buffers_give(struct buffers *buffers, unsigned id)
{
        struct pool *pool = buffers->lendable;

        pool->ids[pool->count++] = (uint16_t)id;
}

int epoll_buffers_next(struct buffers *buffers)
{
        struct pool *pool = buffers->lendable;

        if (pool->turn != ring_turns(buffers->ring)) {
                pool->turn = ring_turns(buffers->ring);
                pool->lent = buffers->borrowed;
        }
        return pool->lent < buffers->count ? pool->ids[pool->count - 1] : -1;
}

unsigned char *epoll_buffers_lend(struct buffers *buffers)
{
        struct pool *pool = buffers->lendable;

        pool->lent++;
        return buffers_borrow(buffers, pool->ids[--pool->count]);
}
