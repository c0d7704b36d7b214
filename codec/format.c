/* SPDX-License-Identifier: MIT */
#include "codec/format.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* Decimal or hexadecimal digits of any 64 bits. */
#define DIGITS_MAX 20

struct format {
        char *out;
        char *end;
        va_list arguments;
};

static bool put(struct format *format, const char *text, size_t size)
{
        if (size > (size_t)(format->end - format->out))
                return false;
        if (size > 0)
                memcpy(format->out, text, size);
        format->out += size;
        return true;
}

static bool put_digits(struct format *format, uint64_t value, unsigned base, bool negative)
{
        char digits[DIGITS_MAX + 1], *end = digits + sizeof(digits), *p = end;

        if (base == 16) {
                do
                        *--p = "0123456789abcdef"[value % 16];
                while (value /= 16);
        } else {
                do
                        *--p = (char)('0' + value % 10);
                while (value /= 10);
        }
        if (negative)
                *--p = '-';
        return put(format, p, (size_t)(end - p));
}

static bool put_signed(struct format *format, int longs)
{
        int64_t value = longs ? va_arg(format->arguments, long) : va_arg(format->arguments, int);

        return put_digits(format, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0);
}

static bool put_unsigned(struct format *format, int longs, unsigned base)
{
        return put_digits(format,
                longs ? va_arg(format->arguments, unsigned long)
                      : va_arg(format->arguments, unsigned int),
                base, false);
}

static bool put_string(struct format *format)
{
        const char *text = va_arg(format->arguments, const char *);

        return text && put(format, text, strlen(text));
}

/* As long as the precision says, or up to a NUL. A negative one counts as none. */
static bool put_bounded_string(struct format *format)
{
        int precision = va_arg(format->arguments, int);
        const char *text = va_arg(format->arguments, const char *);

        return precision >= 0 && text && put(format, text, strnlen(text, (size_t)precision));
}

/* The conversion at @p, behind its '%'; returns its last character, or NULL if it is not supported. */
static const char *put_conversion(struct format *format, const char *p)
{
        int longs = 0;
        bool ok = false;
        char c;

        static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(ssize_t),
                "one size is all that l, ll and z say");
        if (p[0] == '.' && p[1] == '*' && p[2] == 's')
                return put_bounded_string(format) ? p + 2 : NULL;
        if (*p == 'z') {
                longs = 1;
                p++;
        }
        while (*p == 'l' && longs < 2) {
                longs++;
                p++;
        }
        switch (*p) {
        case 'd':
        case 'i':
                ok = put_signed(format, longs);
                break;
        case 'u':
                ok = put_unsigned(format, longs, 10);
                break;
        case 'x':
                ok = put_unsigned(format, longs, 16);
                break;
        case 's':
                ok = !longs && put_string(format);
                break;
        case 'c':
                c = !longs ? (char)va_arg(format->arguments, int) : 0;
                ok = !longs && put(format, &c, 1);
                break;
        case '%':
                ok = !longs && put(format, p, 1);
                break;
        default:
                break;
        }
        return ok ? p : NULL;
}

size_t format_quickly(char *out, size_t size, const char *format, va_list arguments)
{
        struct format state = { .out = out, .end = out + size };
        const char *p = format;

        va_copy(state.arguments, arguments);
        for (; *p; p++) {
                if (*p == '%')
                        p = put_conversion(&state, p + 1);
                else if (state.out < state.end)
                        *state.out++ = *p;
                else
                        p = NULL;
                if (!p)
                        break;
        }
        va_end(state.arguments);
        return p ? (size_t)(state.out - out) : SIZE_MAX;
}
