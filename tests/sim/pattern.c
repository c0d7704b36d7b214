/* SPDX-License-Identifier: MIT */
#include "pattern.h"

#include <string.h>

enum { ROUNDS = 16, CHUNK_BYTES = ROUNDS * PATTERN_BYTES };

/* So that a chunk can begin with any byte. */
static const unsigned char *table(void)
{
        static unsigned char bytes[CHUNK_BYTES + PATTERN_BYTES];

        if (bytes[1] == 0)
                for (size_t i = 0; i < sizeof(bytes); i++)
                        bytes[i] = (unsigned char)(i % PATTERN_BYTES);
        return bytes;
}

void pattern_fill(unsigned char *bytes, size_t size, uint64_t first)
{
        const unsigned char *chunk = table() + first % PATTERN_BYTES;

        for (size_t at = 0; at < size; at += CHUNK_BYTES)
                memcpy(bytes + at, chunk, size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES);
}

size_t pattern_check(const unsigned char *bytes, size_t size, uint64_t first)
{
        const unsigned char *chunk = table() + first % PATTERN_BYTES;
        size_t at = 0;

        for (; at < size; at += CHUNK_BYTES)
                if (memcmp(bytes + at, chunk, size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES) !=
                        0)
                        break;
        while (at < size && bytes[at] == (first + at) % PATTERN_BYTES)
                at++;
        return at < size ? at : size;
}
