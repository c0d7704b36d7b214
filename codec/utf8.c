/* SPDX-License-Identifier: MIT */
#include "codec/utf8.h"

#include <stdint.h>
#include <string.h>

#include <utf8_range.h>

#define STEP_WORDS 8
#define STEP_BYTES (STEP_WORDS * sizeof(uint64_t))
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* A loop of constant length, which compilers vectorize. */
static bool step_is_ascii(const char *data)
{
        uint64_t words[STEP_WORDS], all = 0;

        memcpy(words, data, STEP_BYTES);
        for (size_t i = 0; i < STEP_WORDS; i++)
                all |= words[i];
        return !(all & HIGH_BITS);
}

bool utf8_is_valid(const char *data, size_t size)
{
        for (; size >= STEP_BYTES && step_is_ascii(data); size -= STEP_BYTES)
                data += STEP_BYTES;
        return utf8_range_IsValid(data, size);
}
