/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* @text as a decimal number, digits alone, from @min to @max. */
static inline bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
        unsigned long long value;
        char *end;

        errno = 0;
        value = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
                return false;
        *ret_value = value;
        return true;
}
