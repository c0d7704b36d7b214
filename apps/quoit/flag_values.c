/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <quoit/compression.h>

#include "flags.h"
#include "say.h"

static int refuse(const struct flag *flag, const char *text, const char *wanted)
{
        say_usage("--%s: '%s' is not %s", flag->name, text, wanted);
        return -EINVAL;
}

int flag_set_true(const struct flag *flag, const char *text, void *field)
{
        if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
                return refuse(flag, text, "true or false");
        *(bool *)field = !text || !strcmp(text, "true");
        return 0;
}

int flag_set_number(const struct flag *flag, const char *text, void *field)
{
        bool is_set;

        if (flag_set_true(flag, text, &is_set) < 0)
                return -EINVAL;
        if (is_set)
                *(int *)field = flag->number;
        return 0;
}

int flag_set_string(const struct flag *flag, const char *text, void *field)
{
        (void)flag;
        *(const char **)field = text;
        return 0;
}

int flag_add_string(const struct flag *flag, const char *text, void *field)
{
        (void)flag;
        if (strings_add(field, text) == 0)
                return 0;
        say("out of memory");
        return -EINVAL;
}

int flag_set_count(const struct flag *flag, const char *text, void *field)
{
        char *end;
        unsigned long value;

        errno = 0;
        value = strtoul(text, &end, 10);
        if (!isdigit((unsigned char)*text) || *end || errno || value > UINT32_MAX)
                return refuse(flag, text, "a number");
        *(unsigned *)field = (unsigned)value;
        return 0;
}

/* In ms; 0: there is no such unit. */
static double unit_of_time(const char *text, size_t size)
{
        static const struct {
                const char *name;
                double ms;
        } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
                { "us", 0.001 } };

        for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
                if (strlen(units[i].name) == size && !memcmp(units[i].name, text, size))
                        return units[i].ms;
        return 0;
}

bool flag_parse_time(const char *text, size_t size, double *ret_ms)
{
        char copy[64];
        double sum = 0;

        if (size == 0 || size >= sizeof(copy))
                return false;
        memcpy(copy, text, size);
        copy[size] = '\0';
        for (const char *p = copy; *p;) {
                char *end;
                double value = strtod(p, &end), unit = 1000;
                size_t unit_size = strspn(end, "abcdefghijklmnopqrstuvwxyz");

                if (unit_size || p != copy)
                        unit = unit_of_time(end, unit_size);
                if ((!isdigit((unsigned char)*p) && *p != '.') || end == p || unit == 0)
                        return false;
                sum += value * unit;
                p = end + unit_size;
        }
        *ret_ms = sum;
        return true;
}

int flag_set_time(const struct flag *flag, const char *text, void *field)
{
        double ms;

        if (!flag_parse_time(text, strlen(text), &ms) || ms > UINT32_MAX / 2.0)
                return refuse(flag, text, "a time: 2s, 500ms, 1m30s, or a number of seconds");
        /* what is more than nothing is not nothing, which is the default */
        *(uint32_t *)field = ms > 0 && ms < 1 ? 1 : (uint32_t)ms;
        return 0;
}

int flag_set_bytes(const struct flag *flag, const char *text, void *field)
{
        static const char letters[] = "kmg";
        char *end;
        double value = strtod(text, &end);
        const char *unit = *end ? strchr(letters, tolower((unsigned char)*end)) : NULL;

        if (unit) {
                bool is_binary = end[1] == 'i' || end[1] == '\0';

                for (long i = 0; i <= unit - letters; i++)
                        value *= is_binary ? 1024 : 1000;
                end += end[1] == 'i' ? 2 : 1;
        }
        if (!isdigit((unsigned char)*text) || (*end && strcasecmp(end, "b") != 0) || value > 1e15)
                return refuse(flag, text, "a size: 4MiB, 64k, or a number of bytes");
        *(size_t *)field = (size_t)value;
        return 0;
}

int flag_set_compression(const struct flag *flag, const char *text, void *field)
{
        static const char *const names[] = {
                [QUOIT_IDENTITY] = "identity",
                [QUOIT_DEFLATE] = "deflate",
                [QUOIT_GZIP] = "gzip",
                [QUOIT_ZSTD] = "zstd",
        };

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (!strcmp(names[i], text)) {
                        *(int *)field = (int)i;
                        return 0;
                }
        }
        say_usage("--%s: '%s' is not gzip, deflate, zstd or identity", flag->name, text);
        return -EINVAL;
}
