/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Payloads: bytes that count up and wrap around; the first one depends on the payload's number. */
#define PATTERN_BYTES 251

void pattern_fill(unsigned char *bytes, size_t size, uint64_t first);

/* The first byte that is wrong; @size: none is. */
size_t pattern_check(const unsigned char *bytes, size_t size, uint64_t first);
