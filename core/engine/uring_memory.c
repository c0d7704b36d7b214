/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine/uring.h"

#include <unistd.h>

/* The kernel's memory for a ring. The kernel may count it as locked memory. */

#define SQE_BYTES ((size_t)64)
#define CQE_BYTES ((size_t)16)
#define RINGS_HEADER_BYTES ((size_t)320) /* struct io_rings in the kernel */

static size_t whole_pages(size_t bytes)
{
        size_t page_bytes = (size_t)getpagesize();

        return (bytes + page_bytes - 1) & ~(page_bytes - 1);
}

size_t ring_kernel_bytes(unsigned sq_entries)
{
        return whole_pages(sq_entries * SQE_BYTES) +
               whole_pages(RINGS_HEADER_BYTES + sq_entries * RING_CQ_PER_SQ * CQE_BYTES);
}

size_t buffers_kernel_bytes(unsigned count)
{
        return whole_pages((count ?: BUFFERS_COUNT) * sizeof(struct io_uring_buf));
}
