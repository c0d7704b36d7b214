/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

unsigned value_number(const char *what, const char *text, unsigned min, unsigned max)
{
        unsigned long value;
        char *end;

        errno = 0;
        value = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
                program_usage_error("%s: '%s' is not a number from %u to %u", what, text, min, max);
        return (unsigned)value;
}

unsigned value_time(const char *what, const char *text, unsigned min)
{
        static const struct {
                const char *name;
                unsigned ms;
        } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 } };
        char *unit;
        unsigned long long value;

        if (strcmp(text, "never") == 0)
                return UINT32_MAX;
        errno = 0;
        value = strtoull(text, &unit, 10);
        if (value == 0 && *text == '0' && !*unit && min == 0)
                return 0;
        for (size_t i = 0; *text >= '0' && *text <= '9' && !errno && i < 4; i++) {
                if (strcmp(unit, units[i].name) == 0 && value <= (UINT32_MAX - 1) / units[i].ms &&
                        value * units[i].ms >= min)
                        return (unsigned)value * units[i].ms;
        }
        program_usage_error("%s: '%s' is not a time from %ums to 1193h, for example 500ms, 30s, "
                            "5m, 2h or never",
                what, text, min);
}

bool value_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes)
{
        static const char units[] = "KMGT";
        unsigned long long value;
        const char *unit;
        char *end;
        unsigned shift = 0;

        errno = 0;
        value = strtoull(text, &end, 10);
        unit = *end ? strchr(units, *end) : NULL;
        if (unit) {
                shift = 10 * (unsigned)(unit - units + 1);
                end++;
        }
        if (*text < '0' || *text > '9' || *end || errno || value > (uint64_t)INT64_MAX >> shift)
                return false;
        *ret_bytes = (uint64_t)value << shift;
        return *ret_bytes >= min && *ret_bytes <= max;
}

bool value_bool(const char *what, const char *text)
{
        bool is_true = strcmp(text, "true") == 0;

        if (!is_true && strcmp(text, "false") != 0)
                program_usage_error("%s: '%s' is neither true nor false", what, text);
        return is_true;
}

bool value_flag(const char *what, int argc, char **argv)
{
        const char *text = optarg;

        if (!text && optind < argc && *argv[optind] != '-')
                text = argv[optind++];
        return !text || value_bool(what, text);
}
