/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether these bytes are UTF-8. Those that are ASCII are passed over by many at once. */
bool utf8_is_valid(const char *data, size_t size);
