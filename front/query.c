/* SPDX-License-Identifier: MIT */
#include "front/query.h"

#include <string.h>

/* What is before @separator; *@ret_rest is what is behind it. Both may be empty. */
static upb_StringView cut(upb_StringView text, char separator, upb_StringView *ret_rest)
{
        const char *at = text.size > 0 ? memchr(text.data, separator, text.size) : NULL;
        size_t size = at ? (size_t)(at - text.data) : text.size;
        size_t rest = at ? size + 1 : size;

        *ret_rest = upb_StringView_FromDataAndSize(text.data + rest, text.size - rest);
        return upb_StringView_FromDataAndSize(text.data, size);
}

bool query_next(upb_StringView *query, struct query_pair *ret_pair)
{
        while (query->size > 0) {
                upb_StringView pair = cut(*query, '&', query), value;
                upb_StringView name = cut(pair, '=', &value);

                if (pair.size == 0)
                        continue;
                *ret_pair = (struct query_pair){ .name = name, .value = value };
                return true;
        }
        return false;
}

void query_split(upb_StringView target, upb_StringView *ret_path, upb_StringView *ret_query)
{
        upb_StringView query;

        *ret_path = cut(target, '?', &query);
        *ret_query = query;
}
