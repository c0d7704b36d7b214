/* SPDX-License-Identifier: MIT */
#pragma once

/* What a fuzzer gave, read step by step. At its end there are zeros, and no more bytes. */

#include <stddef.h>
#include <stdint.h>

struct input {
        const uint8_t *at;
        size_t size;
};

static inline size_t take_byte(struct input *input)
{
        if (input->size == 0)
                return 0;
        input->size--;
        return *input->at++;
}

/* The next @size bytes in *@ret_bytes, or those that are left. How many they are. */
static inline size_t take_bytes(struct input *input, size_t size, const uint8_t **ret_bytes)
{
        size = size < input->size ? size : input->size;
        *ret_bytes = input->at;
        input->at += size;
        input->size -= size;
        return size;
}
