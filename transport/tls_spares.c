/* SPDX-License-Identifier: MIT */
#include "transport/tls_spares.h"

#include <stdlib.h>

void tls_spares_deinit(struct tls_spares *spares)
{
        while (spares->count > 0)
                free(spares->blocks[--spares->count].data);
}

/* A quarter of it is used at least: what waits for a slow peer must not hold more. */
static bool fits(const struct tls_bytes *block, size_t size)
{
        return block->capacity >= size && block->capacity / 4 <= size;
}

/* So that what fits one fits the next. */
static size_t round_up(size_t size)
{
        size_t capacity = TLS_SPARE_BYTES_MIN;

        while (capacity < size)
                capacity *= 2;
        return capacity;
}

struct tls_bytes tls_spares_take(struct tls_spares *spares, size_t size)
{
        struct tls_bytes block = { .capacity = round_up(size) };

        for (unsigned i = spares->count; i-- > 0;) {
                if (!fits(spares->blocks + i, size))
                        continue;
                block = spares->blocks[i];
                spares->bytes -= block.capacity;
                spares->blocks[i] = spares->blocks[--spares->count];
                return block;
        }
        block.data = malloc(block.capacity);
        if (!block.data)
                block.capacity = 0;
        return block;
}

void tls_spares_give(struct tls_spares *spares, struct tls_bytes bytes)
{
        if (bytes.capacity < TLS_SPARE_BYTES_MIN || spares->count == TLS_SPARES_MAX ||
                spares->bytes + bytes.capacity > TLS_SPARES_BYTES_MAX) {
                free(bytes.data);
                return;
        }
        bytes.size = 0;
        spares->blocks[spares->count++] = bytes;
        spares->bytes += bytes.capacity;
}
