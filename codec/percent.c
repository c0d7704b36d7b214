/* SPDX-License-Identifier: MIT */
#include "codec/percent.h"

#include <stdbool.h>

#include "codec/number.h"

static bool percent_plain(unsigned char c)
{
        return c >= 0x20 && c <= 0x7e && c != '%';
}

size_t percent_encoded_size(const char *text, size_t size)
{
        size_t encoded = size;

        for (size_t i = 0; i < size; i++)
                if (!percent_plain((unsigned char)text[i]))
                        encoded += 2;
        return encoded;
}

size_t percent_encode(char *out, const char *text, size_t size)
{
        static const char digits[] = "0123456789ABCDEF";
        char *p = out;

        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char)text[i];

                if (percent_plain(c)) {
                        *p++ = (char)c;
                } else {
                        *p++ = '%';
                        *p++ = digits[c >> 4];
                        *p++ = digits[c & 15];
                }
        }
        return (size_t)(p - out);
}

int percent_read(const char *text, size_t size)
{
        int high, low;

        if (size < 3 || *text != '%')
                return -1;
        high = number_hex_digit(text[1]);
        low = number_hex_digit(text[2]);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
}

size_t percent_decode(char *out, const char *text, size_t size)
{
        char *p = out;

        for (size_t i = 0; i < size; i++) {
                int byte = percent_read(text + i, size - i);

                *p++ = byte < 0 ? text[i] : (char)byte;
                if (byte >= 0)
                        i += 2;
        }
        return (size_t)(p - out);
}
