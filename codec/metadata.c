/* SPDX-License-Identifier: MIT */
#include "codec/metadata.h"

#include <string.h>

#include "codec/base64.h"

static const bool name_characters[256] = {
        ['a' ... 'z'] = true,
        ['0' ... '9'] = true,
        ['_'] = true,
        ['-'] = true,
        ['.'] = true,
};

bool metadata_name_valid(const char *name, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if (!name_characters[(unsigned char)name[i]])
                        return false;
        return size > 0;
}

#define RESERVED_PREFIX "grpc-"

static bool is_applications(const char *name, size_t size)
{
        static const char *const names[] = { "previous-rpc-attempts", "retry-pushback-ms",
                "server-stats-bin", "tags-bin", "trace-bin" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
                        return true;
        return false;
}

bool metadata_name_reserved(const char *name, size_t size)
{
        size_t prefix_size = strlen(RESERVED_PREFIX);

        return size >= prefix_size && memcmp(name, RESERVED_PREFIX, prefix_size) == 0 &&
               !is_applications(name + prefix_size, size - prefix_size);
}

bool metadata_name_binary(const char *name, size_t size)
{
        static const char suffix[] = "-bin";
        size_t suffix_size = sizeof(suffix) - 1;

        return size > suffix_size && memcmp(name + size - suffix_size, suffix, suffix_size) == 0;
}

/* Checks all bytes of @word. Each of the three terms sets the high bit of a byte that is over 0x7f, below 0x20, or 0x7f. */
static bool is_printable(uint64_t word)
{
        const uint64_t each = 0x0101010101010101;

        return ((word | (word - 0x20 * each) | (word + each)) & 0x80 * each) == 0;
}

bool metadata_value_valid(const char *value, size_t size)
{
        uint64_t word;

        for (; size >= sizeof(word); size -= sizeof(word), value += sizeof(word)) {
                memcpy(&word, value, sizeof(word));
                if (!is_printable(word))
                        return false;
        }
        for (; size > 0; size--, value++)
                if (*value < 0x20 || *value > 0x7e)
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
