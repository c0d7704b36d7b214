/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine.h"
#include "core/poison.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

enum { BUFFERS_BYTES = 16 * 1024, BUFFERS_COUNT_MAX = 1 << 15 };

static void give(struct buffers *buffers, unsigned id)
{
        buffers->ring->engine->buffers_give(buffers, id);
        poison(buffers_at(buffers, id), buffers->buffer_bytes);
}

/*
 * Resumes one waiter for each buffer. A waiter without data takes no buffer, so the others can have it: the next turn goes on
 * with the rest, and does not block before the queue is empty.
 */
static void on_resume(struct deferred *deferred)
{
        struct buffers *buffers = CONTAINER_OF(deferred, struct buffers, resume);
        unsigned free_count = buffers->count - buffers->borrowed;
        struct list *link;

        while (free_count-- > 0 && (link = list_pop(&buffers->waiters))) {
                struct buffers_waiter *waiter = CONTAINER_OF(link, struct buffers_waiter, link);

                waiter->on_buffers(waiter);
        }
        if (!list_is_empty(&buffers->waiters) && buffers->borrowed < buffers->count)
                ring_defer(buffers->ring, &buffers->resume, RING_FLUSH);
}

int buffers_init(struct buffers *buffers, struct ring *ring, const struct buffers_options *options)
{
        unsigned count = options && options->count ? options->count : BUFFERS_COUNT;
        size_t buffer_bytes =
                options && options->buffer_bytes ? options->buffer_bytes : BUFFERS_BYTES;
        uint16_t group = options ? options->group : 0;
        struct buffers opened;
        void *memory;
        int r;

        if ((count & (count - 1)) != 0 || count > BUFFERS_COUNT_MAX || buffer_bytes > UINT32_MAX)
                return -EINVAL;
        ring->refused_call = REFUSAL_CALL_OTHER;
        memory = mmap(NULL, count * buffer_bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return -errno;
        opened = (struct buffers){
                .ring = ring,
                .bulk = options ? options->bulk : NULL,
                .memory = memory,
                .buffer_bytes = buffer_bytes,
                .count = count,
                .group = group,
                .once = options && options->once,
        };
        r = ring->engine->buffers_open(&opened);
        if (r < 0) {
                munmap(memory, count * buffer_bytes);
                return r;
        }
        *buffers = opened;
        list_init(&buffers->waiters);
        deferred_init(&buffers->resume, on_resume);
        for (unsigned id = 0; id < count; id++)
                give(buffers, id);
        return 0;
}

void buffers_deinit(struct buffers *buffers)
{
        if (!buffers->memory)
                return;
        assert(buffers->borrowed == 0 && list_is_empty(&buffers->waiters));
        ring_undefer(&buffers->resume);
        buffers->ring->engine->buffers_close(buffers);
        unpoison(buffers->memory, buffers->count * buffers->buffer_bytes);
        munmap(buffers->memory, buffers->count * buffers->buffer_bytes);
        *buffers = (struct buffers){};
}

unsigned char *buffers_borrow(struct buffers *buffers, unsigned id)
{
        assert(id < buffers->count && buffers->borrowed < buffers->count);
        buffers->borrowed++;
        unpoison(buffers_at(buffers, id), buffers->buffer_bytes);
        return buffers_at(buffers, id);
}

void buffers_return(struct buffers *buffers, const unsigned char *bytes)
{
        assert(buffers->borrowed > 0);
        buffers->borrowed--;
        give(buffers, (unsigned)((size_t)(bytes - buffers->memory) / buffers->buffer_bytes));
        if (!list_is_empty(&buffers->waiters))
                ring_defer(buffers->ring, &buffers->resume, RING_FLUSH);
}

void buffers_wait(struct buffers *buffers, struct buffers_waiter *waiter)
{
        assert(list_is_empty(&waiter->link));
        buffers->exhausted++;
        list_append(&buffers->waiters, &waiter->link);
        /* The turn that ran out of buffers has often returned them all before this result arrives. */
        if (buffers->borrowed < buffers->count)
                ring_defer(buffers->ring, &buffers->resume, RING_FLUSH);
}

void buffers_wait_cancel(struct buffers_waiter *waiter)
{
        list_remove(&waiter->link);
}
