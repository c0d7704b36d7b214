/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine/uring.h"

/* A provided buffer ring: the kernel picks from it when bytes arrive. */

int uring_buffers_open(struct buffers *buffers)
{
        int r;

        buffers->lendable = io_uring_setup_buf_ring(
                &buffers->ring->uring->io, buffers->count, buffers->group, 0, &r);
        if (buffers->lendable)
                return 0;
        buffers->ring->refused_call = REFUSAL_CALL_REGISTER;
        return r;
}

void uring_buffers_close(struct buffers *buffers)
{
        io_uring_free_buf_ring(
                &buffers->ring->uring->io, buffers->lendable, buffers->count, buffers->group);
}

void uring_buffers_give(struct buffers *buffers, unsigned id)
{
        io_uring_buf_ring_add(buffers->lendable, buffers_at(buffers, id),
                (unsigned)buffers->buffer_bytes, (unsigned short)id,
                io_uring_buf_ring_mask(buffers->count), 0);
        io_uring_buf_ring_advance(buffers->lendable, 1);
}
