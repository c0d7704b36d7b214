/* SPDX-License-Identifier: MIT */
#include "codec/compression.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

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

static bool is_space(char c)
{
        return c == ' ' || c == '\t';
}

compression_set compression_parse_list(const char *list, size_t size)
{
        const char *end = list + size;
        compression_set set = 1u << QUOIT_IDENTITY;

        while (list < end) {
                const char *comma = memchr(list, ',', (size_t)(end - list));
                const char *stop = comma ? comma : end;
                const char *last = stop;
                quoit_compression algorithm;

                while (list < last && is_space(*list))
                        list++;
                while (list < last && is_space(last[-1]))
                        last--;
                if (compression_parse(list, (size_t)(last - list), &algorithm) == 0)
                        set |= 1u << algorithm;
                list = comma ? comma + 1 : end;
        }
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
