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

size_t utf8_repair(char *out, const char *data, size_t size)
{
        static const char replacement[] = "\xef\xbf\xbd";
        const char *start = out;
        bool in_bad = false;

        while (size > 0) {
                size_t valid = utf8_range_ValidPrefix(data, size);
                size_t skipped = valid < size ? 1 : 0;

                memcpy(out, data, valid);
                out += valid;
                if (skipped > 0 && !(in_bad && valid == 0)) {
                        memcpy(out, replacement, strlen(replacement));
                        out += strlen(replacement);
                }
                in_bad = skipped > 0;
                data += valid + skipped;
                size -= valid + skipped;
        }
        return (size_t)(out - start);
}
