/* SPDX-License-Identifier: MIT */
#include "literal.h"

#include <stdint.h>
#include <string.h>

/* The length of a UTF-8 character that begins with @lead; 0: none does. */
static size_t size_by_lead(unsigned char lead)
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
static uint32_t decode(const char *data, size_t size)
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

static bool is_printable(uint32_t c)
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

size_t literal_char(const char *data, size_t size, bool *ret_printable)
{
        size_t n = size_by_lead((unsigned char)data[0]);
        uint32_t c = n && n <= size ? decode(data, n) : UINT32_MAX;

        *ret_printable = is_printable(c);
        return c == UINT32_MAX ? 1 : n;
}

static void print_bytes(FILE *out, const char *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                fprintf(out, "\\%03o", (unsigned char)data[i]);
}

void literal_print(FILE *out, upb_StringView text)
{
        fputc('"', out);
        for (size_t i = 0, n; i < text.size; i += n) {
                const char *c = text.data + i;
                bool printable;

                n = literal_char(c, text.size - i, &printable);
                if (*c == '\n')
                        fputs("\\n", out);
                else if (!printable)
                        print_bytes(out, c, n);
                else
                        fprintf(out, "%s%.*s", *c == '"' || *c == '\\' ? "\\" : "", (int)n, c);
        }
        fputc('"', out);
}

void literal_print_escaped(FILE *out, upb_StringView text)
{
        fputc('"', out);
        for (size_t i = 0; i < text.size; i++) {
                unsigned char c = (unsigned char)text.data[i];

                if (c == '\\' && i + 1 < text.size && text.data[i + 1] > ' ' &&
                        text.data[i + 1] <= '~')
                        fprintf(out, "\\%c", text.data[++i]);
                else if (c == '"' || c == '\\')
                        fprintf(out, "\\%c", c);
                else if (c >= ' ' && c <= '~')
                        fputc(c, out);
                else
                        print_bytes(out, text.data + i, 1);
        }
        fputc('"', out);
}
