/* SPDX-License-Identifier: MIT */
#include "codec/timeout.h"

#include <errno.h>

#define TIMEOUT_DIGITS_MAX 8
#define TIMEOUT_VALUE_MAX 99999999

/* From the finest to the coarsest; the last one can hold any uint64_t. */
static const struct {
        char name;
        uint64_t ns;
} timeout_units[] = {
        { 'n', 1 },
        { 'u', 1000 },
        { 'm', 1000000 },
        { 'S', 1000000000 },
        { 'M', 60000000000 },
        { 'H', 3600000000000 },
};

#define TIMEOUT_UNITS (sizeof(timeout_units) / sizeof(timeout_units[0]))

static uint64_t timeout_unit_ns(char name)
{
        for (size_t i = 0; i < TIMEOUT_UNITS; i++)
                if (timeout_units[i].name == name)
                        return timeout_units[i].ns;
        return 0;
}

int timeout_parse(const char *text, size_t size, uint64_t *ret_timeout_ns)
{
        uint64_t value = 0, unit_ns;

        if (size < 2 || size > TIMEOUT_DIGITS_MAX + 1)
                return -EINVAL;
        for (size_t i = 0; i < size - 1; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                value = value * 10 + (uint64_t)(text[i] - '0');
        }
        unit_ns = timeout_unit_ns(text[size - 1]);
        if (!unit_ns)
                return -EINVAL;
        if (__builtin_mul_overflow(value, unit_ns, &value))
                value = UINT64_MAX;
        *ret_timeout_ns = value;
        return 0;
}

size_t timeout_format(char out[TIMEOUT_BYTES_MAX], uint64_t timeout_ns)
{
        char digits[TIMEOUT_DIGITS_MAX];
        size_t unit = 0, n_digits = 0, size = 0;
        uint64_t value = timeout_ns;

        while (value > TIMEOUT_VALUE_MAX) {
                uint64_t ns = timeout_units[++unit].ns;

                value = timeout_ns / ns + (timeout_ns % ns > 0);
        }
        do {
                digits[n_digits++] = (char)('0' + value % 10);
                value /= 10;
        } while (value);
        while (n_digits)
                out[size++] = digits[--n_digits];
        out[size++] = timeout_units[unit].name;
        return size;
}
