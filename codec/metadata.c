/* SPDX-License-Identifier: MIT */
#include "codec/metadata.h"

#include <string.h>

#include "codec/base64.h"

bool metadata_name_valid(const char *name, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                char c = name[i];

                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-' &&
                        c != '.')
                        return false;
        }
        return size > 0;
}

bool metadata_name_reserved(const char *name, size_t size)
{
        static const char prefix[] = "grpc-";
        size_t prefix_size = sizeof(prefix) - 1;

        return size >= prefix_size && memcmp(name, prefix, prefix_size) == 0;
}

bool metadata_name_binary(const char *name, size_t size)
{
        static const char suffix[] = "-bin";
        size_t suffix_size = sizeof(suffix) - 1;

        return size > suffix_size && memcmp(name + size - suffix_size, suffix, suffix_size) == 0;
}

bool metadata_value_valid(const char *value, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if (value[i] < 0x20 || value[i] > 0x7e)
                        return false;
        return true;
}

static bool metadata_space(char c)
{
        return c == ' ' || c == '\t';
}

void metadata_binary_init(struct metadata_binary *walk, const char *value, size_t size)
{
        *walk = (struct metadata_binary){ .cursor = value, .end = value + size };
}

int metadata_binary_next(struct metadata_binary *walk, uint8_t *out, size_t *ret_size)
{
        const char *start = walk->cursor, *end, *comma;
        int r;

        if (!start)
                return 0;
        comma = memchr(start, ',', (size_t)(walk->end - start));
        end = comma ? comma : walk->end;
        walk->cursor = comma ? comma + 1 : NULL;

        while (start < end && metadata_space(*start))
                start++;
        while (start < end && metadata_space(end[-1]))
                end--;
        r = base64_decode(out, start, (size_t)(end - start), ret_size);
        return r ? r : 1;
}
