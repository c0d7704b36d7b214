/* SPDX-License-Identifier: MIT */
#include "codec/number.h"

#include <errno.h>
#include <stdbool.h>

int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;
        bool is_over = false;

        if (size == 0)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                is_over |= __builtin_mul_overflow(number, 10, &number) ||
                           __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number) ||
                           number > max;
        }
        if (is_over)
                return -ERANGE;
        *ret_number = number;
        return 0;
}
