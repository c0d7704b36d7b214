/* SPDX-License-Identifier: MIT */
#include "server/escape.h"

#include <stdint.h>

static const char digits[] = "0123456789abcdef";

void escape(char *text, const void *data, size_t size)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++) {
                if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\') {
                        *text++ = (char)bytes[i];
                        continue;
                }
                *text++ = '\\';
                *text++ = 'x';
                *text++ = digits[bytes[i] >> 4];
                *text++ = digits[bytes[i] & 15];
        }
        *text = '\0';
}
