/* SPDX-License-Identifier: MIT */
#include "front/url.h"

#include <errno.h>

#include "codec/percent.h"

ssize_t url_decode(char *out, const char *text, size_t size, enum url_part part)
{
        const char *end = text + size;
        char *begin = out;

        while (text < end) {
                int byte = (unsigned char)*text;

                if (byte == '%') {
                        byte = percent_read(text, (size_t)(end - text));
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
