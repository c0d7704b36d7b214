/* SPDX-License-Identifier: MIT */
#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t size, char *ret_text)
{
        const uint8_t *in = bytes;
        char *out = ret_text;

        for (size_t i = 0; i < size; i += 3) {
                size_t left = size - i;
                uint32_t group = (uint32_t)in[i] << 16;

                group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
                group |= left > 2 ? in[i + 2] : 0;
                *out++ = digits[group >> 18];
                *out++ = digits[group >> 12 & 63];
                *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
                *out++ = left > 2 ? digits[group & 63] : '=';
        }
        *out = '\0';
}

static int value_of(char c)
{
        const char *at = c ? strchr(digits, c == '-' ? '+' : c == '_' ? '/' : c) : NULL;

        return at ? (int)(at - digits) : -1;
}

bool base64_decode(const char *text, size_t size, void *ret_bytes, size_t *ret_size)
{
        uint8_t *out = ret_bytes;
        uint32_t group = 0;
        unsigned bits = 0;

        if (size % 4 == 0)
                for (int i = 0; i < 2 && size && text[size - 1] == '='; i++)
                        size--;
        if (size % 4 == 1)
                return false;
        for (size_t i = 0; i < size; i++) {
                int value = value_of(text[i]);

                if (value < 0)
                        return false;
                group = group << 6 | (uint32_t)value;
                bits += 6;
                if (bits >= 8) {
                        bits -= 8;
                        *out++ = (uint8_t)(group >> bits);
                }
        }
        *ret_size = (size_t)(out - (uint8_t *)ret_bytes);
        return true;
}
