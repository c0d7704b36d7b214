/* SPDX-License-Identifier: MIT */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <sys/uio.h>

/*
 * Removes @size bytes from the front of an array of iovecs, in place, and then leading empty iovecs (with @size 0 only these).
 * The rest begins with a byte to send, or is empty.
 */
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
