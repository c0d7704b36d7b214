/* SPDX-License-Identifier: MIT */
#include "json_split.h"

#include <string.h>

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\036';
}

/* In a string. True: it has ended. */
static bool take_in_string(struct json_split *split, char c)
{
        if (split->is_escaped)
                split->is_escaped = false;
        else if (c == '\\')
                split->is_escaped = true;
        else if (c == '"')
                split->is_string = false;
        return !split->is_string && split->depth == 0;
}

/* True: the value ends with @c. */
static bool take(struct json_split *split, char c)
{
        if (split->is_string)
                return take_in_string(split, c);
        if (c == '"') {
                split->is_string = true;
                return false;
        }
        if (c == '{' || c == '[')
                split->depth++;
        /* a bracket too many is a value of its own, which the parser refuses */
        else if (c == '}' || c == ']')
                return split->depth == 0 || --split->depth == 0;
        return false;
}

bool json_split_next(
        struct json_split *split, const char *text, size_t size, bool is_all, size_t *ret_size)
{
        for (; split->at < size; split->at++) {
                char c = text[split->at];

                if (!split->has_begun) {
                        if (is_space(c))
                                continue;
                        split->has_begun = true;
                        split->is_scalar = !strchr("{[\"}]", c);
                }
                if (split->is_scalar) {
                        if (!is_space(c) && !strchr("{[\"", c))
                                continue;
                        *ret_size = split->at;
                        return true;
                }
                if (take(split, c)) {
                        *ret_size = split->at + 1;
                        return true;
                }
        }
        *ret_size = size;
        return is_all && split->has_begun;
}

bool json_split_has_begun(const struct json_split *split)
{
        return split->has_begun;
}
