/* SPDX-License-Identifier: MIT */
#pragma once

#include "upb/base/string_view.h"
#include "upb/mem/arena.h"

/* A copy with a zero behind it. NULL: no memory, or no @arena, which is NULL where there was none for it. */
char *text_copy(upb_StringView text, upb_Arena *arena);
