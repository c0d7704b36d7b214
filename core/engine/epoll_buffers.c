/* SPDX-License-Identifier: MIT */
#include "core/engine/epoll.h"

#include <errno.h>
#include <stdlib.h>

/*
 * The buffer that was returned last is lent first: it is in the cache. As on io_uring, no buffer is lent twice a turn. So a
 * ring reads no more in a turn than its buffers hold, and a file that finds none gets one in the next turn.
 */
struct pool {
        uint64_t turn; /* the turn of `lent` */
        unsigned lent; /* lent in this turn, or still lent from earlier ones */
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
