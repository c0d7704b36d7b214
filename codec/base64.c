/* SPDX-License-Identifier: MIT */
#include "codec/base64.h"

#include <errno.h>

size_t base64_encode(char *out, const uint8_t *data, size_t size)
{
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char *p = out;
        uint32_t bits = 0;
        unsigned int n_bits = 0;

        for (size_t i = 0; i < size; i++) {
                bits = bits << 8 | data[i];
                n_bits += 8;
                while (n_bits >= 6) {
                        n_bits -= 6;
                        *p++ = alphabet[bits >> n_bits & 63];
                }
        }
        if (n_bits)
                *p++ = alphabet[bits << (6 - n_bits) & 63];
        return (size_t)(p - out);
}

/* The value of a character of the alphabet, or -1. */
static int base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+')
                return 62;
        return c == '/' ? 63 : -1;
}

/* @size without the padding, which must fill up the last group of four where there is any. */
static size_t base64_unpadded_size(const char *text, size_t size)
{
        if (size && size % 4 == 0 && text[size - 1] == '=')
                size -= text[size - 2] == '=' ? 2 : 1;
        return size;
}

int base64_decode(uint8_t *out, const char *text, size_t size, size_t *ret_size)
{
        uint8_t *p = out;
        uint32_t bits = 0;
        unsigned int n_bits = 0;

        size = base64_unpadded_size(text, size);
        if (size % 4 == 1)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                int value = base64_value(text[i]);

                if (value < 0)
                        return -EINVAL;
                bits = bits << 6 | (uint32_t)value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        *p++ = (uint8_t)(bits >> n_bits);
                }
        }
        if (bits & ((1U << n_bits) - 1)) /* no encoder leaves these bits set */
                return -EINVAL;
        *ret_size = (size_t)(p - out);
        return 0;
}
