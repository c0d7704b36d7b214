/* SPDX-License-Identifier: MIT */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <sys/uio.h>

/* Takes @size bytes off the front of an array of iovecs, in place, and the iovecs that are empty
 * then (with size 0: those that were). What is left begins with a byte to send, or is nothing. */
static inline void iovecs_advance(struct iovec **iovecs, size_t *count, size_t size)
{
        while (*count > 0 && size >= (*iovecs)->iov_len) {
                size -= (*iovecs)->iov_len;
                (*iovecs)++;
                (*count)--;
        }
        if (size == 0)
                return;
        assert(*count > 0);
        (*iovecs)->iov_base = (char *)(*iovecs)->iov_base + size;
        (*iovecs)->iov_len -= size;
}
