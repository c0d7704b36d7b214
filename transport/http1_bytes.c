/* SPDX-License-Identifier: MIT */
#include "transport/http1.h"

#include <errno.h>
#include <string.h>

#include "transport/session.h"

#define FIRST_BYTES ((size_t)512) /* a browser's request, an answer's head: nearly all fit */

static int reserve(const struct http1 *http1, struct http1_bytes *bytes, size_t size)
{
        nghttp2_mem *memory = http1->session->http1_memory;
        size_t capacity = bytes->capacity > 0 ? bytes->capacity : FIRST_BYTES;
        uint8_t *data;

        if (size <= bytes->capacity)
                return 0;
        /* powers of two: none has the size of nghttp2's frame buffers, which count as untouched (transport/memory.h) */
        while (capacity < size)
                capacity *= 2;
        data = memory->realloc(bytes->data, capacity, memory->mem_user_data);
        if (!data)
                return -ENOMEM;
        bytes->data = data;
        bytes->capacity = capacity;
        return 0;
}

int http1_append(
        const struct http1 *http1, struct http1_bytes *bytes, const void *data, size_t size)
{
        int r = reserve(http1, bytes, bytes->size + size);

        if (r < 0)
                return r;
        if (size > 0)
                memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
        return 0;
}

int http1_append_text(const struct http1 *http1, struct http1_bytes *bytes, const char *text)
{
        return http1_append(http1, bytes, text, strlen(text));
}

void http1_clear(const struct http1 *http1, struct http1_bytes *bytes)
{
        nghttp2_mem *memory = http1->session->http1_memory;

        bytes->size = 0;
        if (bytes->capacity <= FIRST_BYTES)
                return;
        memory->free(bytes->data, memory->mem_user_data);
        *bytes = (struct http1_bytes){ 0 };
}
