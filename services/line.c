/* SPDX-License-Identifier: MIT */
#include "services/line.h"

#include <assert.h>
#include <string.h>

#include "services/time_text.h"

#define DIGITS_MAX 20

static void put(struct line *line, const char *bytes, size_t size)
{
        assert(size <= sizeof(line->bytes) - line->size);
        memcpy(line->bytes + line->size, bytes, size);
        line->size += size;
}

static void put_char(struct line *line, char c)
{
        put(line, &c, 1);
}

static void put_text(struct line *line, const char *text)
{
        put(line, text, strlen(text));
}

/* At least @digits_min, with leading zeros. */
static void put_number(struct line *line, uint64_t value, unsigned digits_min)
{
        char digits[DIGITS_MAX];
        size_t at = sizeof(digits);

        while (value > 0 || sizeof(digits) - at < digits_min) {
                digits[--at] = (char)('0' + value % 10);
                value /= 10;
        }
        put(line, digits + at, sizeof(digits) - at);
}

static void put_name(struct line *line, const char *name)
{
        if (line->size > 1)
                put_char(line, line->json ? ',' : ' ');
        if (line->json)
                put_char(line, '"');
        put_text(line, name);
        put_text(line, line->json ? "\":" : "=");
}

void line_begin(struct line *line, bool json)
{
        line->json = json;
        line->size = 0;
        if (json)
                put_char(line, '{');
}

void line_add_number(struct line *line, const char *name, uint64_t value)
{
        put_name(line, name);
        put_number(line, value, 1);
}

void line_add_word(struct line *line, const char *name, const char *word)
{
        put_name(line, name);
        if (line->json)
                put_char(line, '"');
        put_text(line, word);
        if (line->json)
                put_char(line, '"');
}

void line_add_time(struct line *line, const char *name, uint64_t unix_ms)
{
        char text[TIME_TEXT_BYTES];

        time_text(text, unix_ms);
        line_add_word(line, name, text);
}

static void put_escaped(struct line *line, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";

        if (c == '"' || c == '\\') {
                put_char(line, '\\');
                put_char(line, (char)c);
        } else if (c >= 0x20 && c < 0x7f) {
                put_char(line, (char)c);
        } else {
                put_text(line, "\\u00");
                put_char(line, hex[c >> 4]);
                put_char(line, hex[c & 15]);
        }
}

void line_add_quoted(struct line *line, const char *name, const char *text, size_t size)
{
        put_name(line, name);
        put_char(line, '"');
        for (size_t i = 0; i < size && i < LINE_QUOTED_MAX; i++)
                put_escaped(line, (unsigned char)text[i]);
        put_char(line, '"');
}

void line_end(struct line *line)
{
        put_text(line, line->json ? "}\n" : "\n");
}
