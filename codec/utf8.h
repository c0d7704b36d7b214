/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether these bytes are UTF-8. ASCII is skipped many bytes at a time. */
bool utf8_is_valid(const char *data, size_t size);
