/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* How many blocks of malloc() are not freed. */
size_t memory_live(void);
