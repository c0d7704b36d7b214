/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <quoit/schema.h>

/* Writes as snprintf() does. SIZE_MAX: it failed. */
typedef size_t output_fn(void *context, char *buf, size_t size);

/* What @print makes of @context, as a string in @arena. 0; -EINVAL: it failed; -ENOMEM. */
int output_print(output_fn *print, void *context, upb_Arena *arena, upb_StringView *ret_text);
