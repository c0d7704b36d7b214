/* SPDX-License-Identifier: MIT */
#include "codec/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

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

size_t number_print(char *text, uint64_t number)
{
        char digits[NUMBER_DIGITS_MAX];
        size_t at = sizeof(digits), size;

        do {
                digits[--at] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        size = sizeof(digits) - at;
        memcpy(text, digits + at, size);
        text[size] = '\0';
        return size;
}
