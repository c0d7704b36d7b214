/* SPDX-License-Identifier: MIT */
#include "query.h"

#include <string.h>

static int digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the size in @out, which has room for @size. */
static size_t decode(char *out, const char *text, size_t size)
{
        size_t length = 0;

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (c == '+') {
                        c = ' ';
                } else if (c == '%' && size - i > 2 && digit(text[i + 1]) >= 0 &&
                           digit(text[i + 2]) >= 0) {
                        c = (char)(digit(text[i + 1]) << 4 | digit(text[i + 2]));
                        i += 2;
                }
                out[length++] = c;
        }
        return length;
}

bool query_find(const char *query, const char *name, upb_Arena *arena, upb_StringView *ret_value)
{
        size_t name_size = strlen(name);

        for (;;) {
                size_t size = strcspn(query, "&");

                if (size > name_size && query[name_size] == '=' &&
                        memcmp(query, name, name_size) == 0) {
                        const char *value = query + name_size + 1;
                        char *out = arena ? upb_Arena_Malloc(arena, size) : NULL;

                        if (!out)
                                return false;
                        *ret_value = upb_StringView_FromDataAndSize(
                                out, decode(out, value, size - name_size - 1));
                        return true;
                }
                if (query[size] == '\0')
                        return false;
                query += size + 1;
        }
}
