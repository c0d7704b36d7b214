/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* How many blocks of malloc()'s are not given back. */
size_t memory_live(void);
