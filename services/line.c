/* SPDX-License-Identifier: MIT */
#include "services/line.h"

#include <assert.h>
#include <string.h>

#define DIGITS_MAX 20
#define MS_PER_DAY 86400000u

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

/* Not gmtime_r(): that takes a lock which all threads share. The days are counted from a first of March, so that a leap day is the last. */
static void put_date(struct line *line, uint64_t days)
{
        uint64_t day = days + 719468; /* since 0000-03-01 */
        uint64_t era = day / 146097; /* of 400 years */
        uint64_t of_era = day % 146097;
        uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
        uint64_t month = (5 * of_year + 2) / 153; /* 0 is March */

        put_number(line, era * 400 + year + (month >= 10), 4);
        put_char(line, '-');
        put_number(line, month < 10 ? month + 3 : month - 9, 2);
        put_char(line, '-');
        put_number(line, of_year - (153 * month + 2) / 5 + 1, 2);
}

void line_add_time(struct line *line, const char *name, uint64_t unix_ms)
{
        uint64_t ms = unix_ms % MS_PER_DAY;

        put_name(line, name);
        if (line->json)
                put_char(line, '"');
        put_date(line, unix_ms / MS_PER_DAY);
        put_char(line, 'T');
        put_number(line, ms / 3600000, 2);
        put_char(line, ':');
        put_number(line, ms / 60000 % 60, 2);
        put_char(line, ':');
        put_number(line, ms / 1000 % 60, 2);
        put_char(line, '.');
        put_number(line, ms % 1000, 3);
        put_char(line, 'Z');
        if (line->json)
                put_char(line, '"');
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
