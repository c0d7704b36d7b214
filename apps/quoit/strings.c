/* SPDX-License-Identifier: MIT */
#include "strings.h"

#include <errno.h>
#include <stdlib.h>

int strings_add(struct strings *strings, const char *text)
{
        const char **at = strings->at;

        if ((strings->count & (strings->count - 1)) == 0) { /* a power of two: it is full */
                size_t room = strings->count ? 2 * strings->count : 1;

                at = reallocarray((void *)at, room, sizeof(*at));
        }
        if (!at)
                return -ENOMEM;
        strings->at = at;
        strings->at[strings->count++] = text;
        return 0;
}

void strings_deinit(struct strings *strings)
{
        free((void *)strings->at);
        *strings = (struct strings){ 0 };
}
