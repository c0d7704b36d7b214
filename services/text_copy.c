/* SPDX-License-Identifier: MIT */
#include "services/text_copy.h"

#include <stdint.h>
#include <string.h>

static bool is_between(uint8_t byte, uint8_t low, uint8_t high)
{
        return byte >= low && byte <= high;
}

/* How many bytes the first character of @text has; 0: they are not UTF-8 (Unicode, table 3-7). @size > 0. */
static size_t character_bytes(const uint8_t *text, size_t size)
{
        uint8_t low = 0x80, high = 0xbf;
        size_t wanted;

        if (text[0] < 0x80)
                return 1;
        if (!is_between(text[0], 0xc2, 0xf4))
                return 0;
        wanted = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
        if (text[0] == 0xe0)
                low = 0xa0; /* less is too long */
        else if (text[0] == 0xed)
                high = 0x9f; /* more is a surrogate */
        else if (text[0] == 0xf0)
                low = 0x90; /* less is too long */
        else if (text[0] == 0xf4)
                high = 0x8f; /* more is over U+10FFFF */
        if (size < wanted || !is_between(text[1], low, high))
                return 0;
        for (size_t i = 2; i < wanted; i++)
                if (!is_between(text[i], 0x80, 0xbf))
                        return 0;
        return wanted;
}

void text_copy(char *to, size_t size, const char *from, size_t from_size)
{
        static const char replacement[] = "\xef\xbf\xbd";
        size_t room = size - 1;

        while (from_size > 0 && *from) {
                size_t bytes = character_bytes((const uint8_t *)from, from_size);
                const char *source = bytes > 0 ? from : replacement;
                size_t step = bytes > 0 ? bytes : 1;
                size_t added = bytes > 0 ? bytes : strlen(replacement);

                if (added > room)
                        break;
                memcpy(to, source, added);
                to += added;
                room -= added;
                from += step;
                from_size -= step;
        }
        *to = '\0';
}

bool text_is_utf8(const char *text)
{
        size_t size = strlen(text), bytes;

        for (; size > 0; size -= bytes, text += bytes) {
                bytes = character_bytes((const uint8_t *)text, size);
                if (bytes == 0)
                        return false;
        }
        return true;
}
