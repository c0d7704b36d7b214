/* SPDX-License-Identifier: MIT */
#include "codec/plugin/text.h"

#include <stdint.h>
#include <string.h>

enum { LINE_BYTES_MAX = 400 };

/* The length of a UTF-8 character that begins with @lead; 0: none does. */
static size_t text_char_size(unsigned char lead)
{
        if (lead < 0x80)
                return 1;
        if (lead >= 0xc2 && lead <= 0xdf)
                return 2;
        if (lead >= 0xe0 && lead <= 0xef)
                return 3;
        return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The code point of @size bytes; UINT32_MAX if they are not one: too long a spelling, a surrogate, too large. */
static uint32_t text_decode(const char *data, size_t size)
{
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        uint32_t c = (unsigned char)data[0];

        if (size == 1)
                return c;
        c &= 0x7fu >> size;
        for (size_t i = 1; i < size; i++) {
                if (((unsigned char)data[i] & 0xc0) != 0x80)
                        return UINT32_MAX;
                c = c << 6 | ((unsigned char)data[i] & 0x3f);
        }
        return c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? UINT32_MAX : c;
}

static bool text_is_printable(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } others[] = {
                { 0, 0x1f },
                { 0x7f, 0x9f },
                { 0x61c, 0x61c }, /* changes the direction of writing, like some below */
                { 0x200e, 0x200f },
                { 0x2028, 0x202e }, /* line and paragraph separators, directions */
                { 0x2066, 0x2069 },
                { 0xfeff, 0xfeff }, /* byte order mark */
                { UINT32_MAX, UINT32_MAX },
        };

        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                if (c >= others[i].first && c <= others[i].last)
                        return false;
        return true;
}

size_t text_char(const char *data, size_t size, bool *ret_printable)
{
        size_t n = text_char_size((unsigned char)data[0]);
        uint32_t c = n && n <= size ? text_decode(data, n) : UINT32_MAX;

        *ret_printable = text_is_printable(c);
        return c == UINT32_MAX ? 1 : n;
}

char *text_cut(upb_Arena *arena, const char *data, size_t size, size_t size_max)
{
        size_t shown = size > size_max ? size_max : size;
        char *line = memory_alloc(arena, 4 * shown + sizeof("...")), *out = line;

        for (size_t i = 0; i < shown;) {
                bool printable;
                size_t n = text_char(data + i, shown - i, &printable);

                if (printable) {
                        memcpy(out, data + i, n);
                        out += n;
                } else {
                        for (size_t j = 0; j < n; j++) {
                                unsigned char byte = (unsigned char)data[i + j];

                                *out++ = '\\';
                                *out++ = (char)('0' + (byte >> 6));
                                *out++ = (char)('0' + (byte >> 3 & 7));
                                *out++ = (char)('0' + (byte & 7));
                        }
                }
                i += n;
        }
        strcpy(out, size > shown ? "..." : "");
        return line;
}

char *text_line(upb_Arena *arena, const char *data, size_t size)
{
        return text_cut(arena, data, size, LINE_BYTES_MAX);
}
