/* SPDX-License-Identifier: MIT */
#include "front/url.h"

#include <errno.h>

#include "codec/number.h"

/* The byte that %XX at @text stands for, or -1. */
static int read_escape(const char *text, const char *end)
{
        int high, low;

        if (end - text < 3)
                return -1;
        high = number_hex_digit(text[1]);
        low = number_hex_digit(text[2]);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
}

ssize_t url_decode(char *out, const char *text, size_t size, enum url_part part)
{
        const char *end = text + size;
        char *begin = out;

        while (text < end) {
                int byte = (unsigned char)*text;

                if (byte == '%') {
                        byte = read_escape(text, end);
                        if (byte < 0)
                                return -EINVAL;
                        if (byte == '/' && part == URL_SEGMENTS)
                                byte = '%'; /* copied with its digits, which are ordinary characters */
                        else
                                text += 2;
                } else if (byte == '+' && part == URL_QUERY) {
                        byte = ' ';
                }
                *out++ = (char)byte;
                text++;
        }
        return out - begin;
}
