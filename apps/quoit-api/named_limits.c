/* SPDX-License-Identifier: MIT */
#include "named_limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/program.h"
#include "../common/values.h"
#include "../common/wrap.h"

#define NAME_BYTES_MAX 64

/* A member of quoit_limits. */
struct limit {
        const char *name; /* its ending is the unit */
        size_t offset;
        size_t size;
        const char *section; /* the heading before it, or "" */
        const char *about;
};

/* Made from the header, in its order. */
static const struct limit all[] = {
#define LIMIT(name, section, about)                                                                \
        { #name, offsetof(quoit_limits, name), sizeof(((quoit_limits *)NULL)->name), section,      \
                about },
#include <limits.inc>
#undef LIMIT
};
#define COUNT (sizeof(all) / sizeof(*all))

/* ---- setting ---- */

static bool is_time(const struct limit *limit)
{
        size_t size = strlen(limit->name);

        return strcmp(limit->name + size - 3, "_ms") == 0;
}

static bool is_size(const struct limit *limit)
{
        return strstr(limit->name, "bytes") != NULL;
}

/* How many characters must be inserted, removed or changed. */
static unsigned distance(const char *a, const char *b)
{
        unsigned row[NAME_BYTES_MAX + 1];

        for (unsigned k = 0; k <= strlen(b); k++)
                row[k] = k;
        for (unsigned i = 1; a[i - 1]; i++) {
                unsigned corner = row[0];

                row[0] = i;
                for (unsigned k = 1; b[k - 1]; k++) {
                        unsigned changed = corner + (a[i - 1] != b[k - 1]);
                        unsigned fewer = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;

                        corner = row[k];
                        row[k] = changed < fewer ? changed : fewer;
                }
        }
        return row[strlen(b)];
}

/* The total length of those words of @name that are in @text, in any order. */
static int shared(const char *text, const char *name)
{
        char word[NAME_BYTES_MAX];
        int count = 0;

        while (*name) {
                size_t size = strcspn(name, "_");

                snprintf(word, sizeof(word), "%.*s", (int)size, name);
                if (strstr(text, word))
                        count += (int)size;
                name += size + (name[size] == '_');
        }
        return count;
}

static int likeness(const char *text, const char *name)
{
        return 2 * shared(text, name) - (int)distance(text, name);
}

static const struct limit *nearest(const char *text)
{
        const struct limit *best = all;

        for (size_t i = 1; i < COUNT; i++)
                if (likeness(text, all[i].name) > likeness(text, best->name))
                        best = &all[i];
        return best;
}

static const struct limit *find(const char *what, const char *name)
{
        for (size_t i = 0; i < COUNT; i++)
                if (strcmp(all[i].name, name) == 0)
                        return &all[i];
        program_usage_error(
                "%s: there is no limit '%s', the nearest is %s; --limit help lists them", what,
                name, nearest(name)->name);
}

static uint64_t parse(const struct limit *limit, const char *what, const char *text)
{
        uint64_t max = limit->size == sizeof(uint32_t) ? UINT32_MAX : INT64_MAX, bytes;
        bool may_be_none = strcmp(limit->name, "memory_bytes_max") == 0;

        if (is_time(limit))
                return value_time(what, text, 1);
        if (!is_size(limit))
                return value_number(what, text, 1, UINT32_MAX);
        if (may_be_none && strcmp(text, "none") == 0)
                return SIZE_MAX;
        if (!value_parse_size(text, 1, max, &bytes))
                program_usage_error(
                        "%s: '%s' is not a size from 1 to %s, for example 900, 64K or 2M%s", what,
                        text, max == UINT32_MAX ? "4294967295" : "8388607T",
                        may_be_none ? ", or none" : "");
        return bytes;
}

void limits_set(quoit_limits *limits, const char *what, const char *text)
{
        const char *equals = strchr(text, '=');
        size_t name_size = equals ? (size_t)(equals - text) : 0;
        char name[NAME_BYTES_MAX], where[512];
        const struct limit *limit;
        uint64_t value;

        if (name_size == 0 || name_size >= sizeof(name))
                program_usage_error(
                        "%s: '%s' is not NAME=VALUE; --limit help lists the names", what, text);
        snprintf(name, sizeof(name), "%.*s", (int)name_size, text);
        limit = find(what, name);
        snprintf(where, sizeof(where), "%s %s", what, name);
        value = parse(limit, where, equals + 1);
        /* the machine is little-endian, as upb's tables want it */
        memcpy((char *)limits + limit->offset, &value, limit->size);
}

/* ---- printing ---- */

static const char *unit(const struct limit *limit)
{
        if (is_time(limit))
                return "TIME";
        return is_size(limit) ? "SIZE" : "N";
}

void limits_print(void)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                program_usage_error("out of memory");
        fprintf(out, "Limits for --limit NAME=VALUE, described as in <quoit/limits.h>.\n\n"
                     "SIZE: bytes, or a number followed by K, M, G or T. TIME: a number followed "
                     "by ms, s,\nm or h, or never. N: a number. No value may be 0.\n");
        for (size_t i = 0; i < COUNT; i++) {
                if (*all[i].section)
                        fprintf(out, "\n---- %s ----\n", all[i].section);
                fprintf(out, "\n%s=%s\n", all[i].name, unit(&all[i]));
                wrap_print(out, all[i].about, 4, 0);
        }
        fclose(out);
        program_print(text);
}
