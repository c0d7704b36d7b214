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

size_t percent_decode(char *out, const char *text, size_t size)
{
        char *p = out;

        for (size_t i = 0; i < size; i++) {
                int high = text[i] == '%' && size - i > 2 ? number_hex_digit(text[i + 1]) : -1;
                int low = high >= 0 ? number_hex_digit(text[i + 2]) : -1;

                if (low >= 0) {
                        *p++ = (char)(high << 4 | low);
                        i += 2;
                } else {
                        *p++ = text[i];
                }
        }
        return (size_t)(p - out);
}
