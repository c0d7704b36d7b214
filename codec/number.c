/* SPDX-License-Identifier: MIT */
#include "codec/number.h"

#include <errno.h>

int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;

        if (size == 0)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                if (number <= max)
                        number = number * 10 + (uint64_t)(text[i] - '0');
        }
        if (number > max)
                return -ERANGE;
        *ret_number = number;
        return 0;
}
