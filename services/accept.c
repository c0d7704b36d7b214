/* SPDX-License-Identifier: MIT */
#include "services/accept.h"

#include <string.h>
#include <strings.h>

/* Text between two places. */
struct span {
        const char *at, *end;
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
        while (span.at < span.end && is_blank(*span.at))
                span.at++;
        while (span.at < span.end && is_blank(span.end[-1]))
                span.end--;
        return span;
}

/* Takes what is before the next @separator off @rest. */
static struct span take(struct span *rest, char separator)
{
        const char *found = memchr(rest->at, separator, (size_t)(rest->end - rest->at));
        struct span first = { rest->at, found ? found : rest->end };

        rest->at = found ? found + 1 : rest->end;
        return trim(first);
}

static bool is(struct span span, const char *text, size_t size)
{
        return (size_t)(span.end - span.at) == size && strncasecmp(span.at, text, size) == 0;
}

/* How closely @range names @type: 3 exactly, 2 by its first part, 1 anything; 0: not at all. */
static unsigned closeness(struct span range, const char *type)
{
        size_t first = strcspn(type, "/") + 1;

        if (is(range, type, strlen(type)))
                return 3;
        if (range.at < range.end && range.end[-1] == '*' &&
                is((struct span){ range.at, range.end - 1 }, type, first))
                return 2;
        return is(range, "*/*", 3);
}

/* "0", "1", "0.5", "0.123"; what is none of these is 0. */
static unsigned parse_quality(struct span text)
{
        unsigned quality = 0, unit = 1000;

        for (; text.at < text.end && unit > 0; text.at++) {
                if (*text.at == '.')
                        continue;
                if (*text.at < '0' || *text.at > '9')
                        return 0;
                quality += (unsigned)(*text.at - '0') * unit;
                unit /= 10;
        }
        return quality > 1000 ? 1000 : quality;
}

static unsigned quality_of(struct span parameters)
{
        unsigned quality = 1000;

        while (parameters.at < parameters.end) {
                struct span one = take(&parameters, ';');

                if (one.end - one.at >= 2 && (*one.at | 0x20) == 'q' && one.at[1] == '=')
                        quality = parse_quality((struct span){ one.at + 2, one.end });
        }
        return quality;
}

unsigned accept_quality(const char *field, size_t size, const char *type)
{
        struct span rest = { field, field + size };
        unsigned best = 0, quality = 0;

        while (rest.at < rest.end) {
                struct span item = take(&rest, ',');
                unsigned close = closeness(take(&item, ';'), type);

                /* the same range twice: its best parameters count */
                if (close > 0 && close >= best) {
                        unsigned own = quality_of(item);

                        quality = close > best || own > quality ? own : quality;
                        best = close;
                }
        }
        return quality;
}
