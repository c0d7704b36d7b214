/* SPDX-License-Identifier: MIT */
#include "codec/compression.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
        [QUOIT_IDENTITY] = "identity",
        [QUOIT_DEFLATE] = "deflate",
        [QUOIT_GZIP] = "gzip",
        [QUOIT_ZSTD] = "zstd",
};

#define NAMES (sizeof(names) / sizeof(*names))

int compression_parse(const char *name, size_t size, quoit_compression *ret_algorithm)
{
        for (size_t i = 0; i < NAMES; i++) {
                if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) {
                        *ret_algorithm = (quoit_compression)i;
                        return 0;
                }
        }
        return -EINVAL;
}

const char *compression_name(quoit_compression algorithm)
{
        assert(algorithm < NAMES);
        return names[algorithm];
}

/* ---- lists ---- */

#define WEIGHT_MAX 1000u
#define UNNAMED UINT_MAX

/* Text between two places. */
struct span {
        const char *at, *end;
};

static bool is_space(char c)
{
        return c == ' ' || c == '\t';
}

/* Takes what is before the next @separator off @rest, without spaces around it. */
static struct span take(struct span *rest, char separator)
{
        const char *found = memchr(rest->at, separator, (size_t)(rest->end - rest->at));
        struct span first = { rest->at, found ? found : rest->end };

        rest->at = found ? found + 1 : rest->end;
        while (first.at < first.end && is_space(*first.at))
                first.at++;
        while (first.at < first.end && is_space(first.end[-1]))
                first.end--;
        return first;
}

/* "0.5" in thousandths. What is no weight is 0: it refuses. */
static unsigned parse_weight(struct span text)
{
        unsigned weight = 0, unit = WEIGHT_MAX;

        for (; text.at < text.end && unit > 0; text.at++) {
                if (*text.at == '.')
                        continue;
                if (*text.at < '0' || *text.at > '9')
                        return 0;
                weight += (unsigned)(*text.at - '0') * unit;
                unit /= 10;
        }
        return weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
}

static unsigned weight_of(struct span parameters)
{
        struct span one = take(&parameters, ';');

        if (one.end - one.at < 2 || (*one.at | 0x20) != 'q' || one.at[1] != '=')
                return WEIGHT_MAX;
        return parse_weight((struct span){ one.at + 2, one.end });
}

static bool is_named(struct span name, const char *ours)
{
        size_t size = (size_t)(name.end - name.at);

        return strlen(ours) == size && strncasecmp(ours, name.at, size) == 0;
}

/* What one item of a list says of @weights, or of all that are not named, *@others. */
static void read_item(struct span item, unsigned weights[NAMES], unsigned *others)
{
        struct span name = take(&item, ';');

        if (is_named(name, "*"))
                *others = weight_of(item);
        for (size_t i = 0; i < NAMES; i++)
                if (is_named(name, names[i]))
                        weights[i] = weight_of(item);
}

compression_set compression_parse_list(const char *list, size_t size)
{
        unsigned weights[NAMES] = { UNNAMED, UNNAMED, UNNAMED, UNNAMED };
        unsigned others = UNNAMED;
        struct span rest = { list, list + size };
        compression_set set = 0;

        static_assert(NAMES == 4, "each is unnamed at first");
        while (rest.at < rest.end)
                read_item(take(&rest, ','), weights, &others);
        for (size_t i = 0; i < NAMES; i++)
                if (weights[i] == UNNAMED)
                        weights[i] = others;
        /* none at all will do, but who names another one wants that */
        if (weights[QUOIT_IDENTITY] == UNNAMED)
                weights[QUOIT_IDENTITY] = 1;
        for (size_t i = 0; i < NAMES; i++)
                if (weights[i] != UNNAMED && weights[i] > 0 &&
                        weights[i] >= weights[QUOIT_IDENTITY])
                        set |= 1u << i;
        return set;
}

compression_set compression_cache_parse(
        struct compression_cache *cache, const char *list, size_t size)
{
        if (size > sizeof(cache->list))
                return compression_parse_list(list, size);
        if (!cache->set || cache->size != size || memcmp(cache->list, list, size) != 0) {
                memcpy(cache->list, list, size);
                cache->size = size;
                cache->set = compression_parse_list(list, size);
        }
        return cache->set;
}
