/* SPDX-License-Identifier: MIT */
#pragma once

/* A time in UTC as logs show it: "2026-11-28T20:59:03.123Z". */

#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_BYTES 32 /* room for it, its NUL included */

/* Its length. */
size_t time_text(char *ret_text, uint64_t unix_ms);
