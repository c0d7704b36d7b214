/* SPDX-License-Identifier: MIT */
#include "services/key_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *trim(char *text)
{
        size_t size;

        text += strspn(text, " \t");
        size = strlen(text);
        while (size > 0 && strchr(" \t", text[size - 1]))
                text[--size] = '\0';
        return text;
}

/* In its place. A "%" that two digits do not follow, or that would be a zero, stays. */
static void decode(char *text)
{
        char *to = text;

        while (*text) {
                char digits[3] = { 0 };

                if (*text == '%' && isxdigit((unsigned char)text[1]) &&
                        isxdigit((unsigned char)text[2]) && strncmp(text, "%00", 3) != 0) {
                        memcpy(digits, text + 1, 2);
                        *to++ = (char)strtoul(digits, NULL, 16);
                        text += 3;
                } else {
                        *to++ = *text++;
                }
        }
        *to = '\0';
}

bool key_values_next(char **cursor, char **ret_key, char **ret_value)
{
        char *pair, *equals;

        do {
                pair = strsep(cursor, ",");
                if (!pair)
                        return false;
                pair = trim(pair);
        } while (!*pair); /* as behind a last comma */
        equals = strchr(pair, '=');
        if (!equals || equals == pair) {
                *cursor = pair;
                return false;
        }
        *equals = '\0';
        *ret_key = trim(pair);
        *ret_value = trim(equals + 1);
        decode(*ret_key);
        decode(*ret_value);
        return true;
}
