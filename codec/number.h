/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A number in decimal digits and nothing else: @size of them, at most @max. 0; -EINVAL; -ERANGE: it is larger. */
int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number);
