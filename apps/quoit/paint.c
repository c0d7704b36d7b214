/* SPDX-License-Identifier: MIT */
#include "paint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct paint plain = { "", "", "", "", "", "", "", "", "", "" };
static const struct paint coloured = {
        .key = "\033[34m",
        .string = "\033[32m",
        .number = "\033[36m",
        .word = "\033[35m",
        .good = "\033[32m",
        .warning = "\033[33m",
        .bad = "\033[31m",
        .dim = "\033[2m",
        .bold = "\033[1m",
        .end = "\033[0m",
};

const struct paint *paint_for(int fd, bool is_off)
{
        const char *refusal = getenv("NO_COLOR"), *terminal = getenv("TERM");

        if (is_off || (refusal && *refusal) || !terminal || !strcmp(terminal, "dumb") ||
                !isatty(fd))
                return &plain;
        return &coloured;
}
