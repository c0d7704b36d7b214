/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A number in decimal digits and nothing else: @size of them, at most @max. 0; -EINVAL; -ERANGE: it is larger. */
int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number);

/* The most digits that number_print() writes. */
#define NUMBER_DIGITS_MAX 20

/* Its decimal digits at @text, with a zero behind them: NUMBER_DIGITS_MAX + 1 bytes at most. How many they are. */
size_t number_print(char *text, uint64_t number);

/* The value of a hexadecimal digit in either case, or -1. */
static inline int number_hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}
