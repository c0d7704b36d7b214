/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <quoit/schema.h>

/* Writes as snprintf() does. SIZE_MAX: it failed. */
typedef size_t output_fn(void *context, char *buf, size_t size);

/*
 * What @print makes of @context, which is @message of the type @table, as a string in @arena. 0; -EINVAL: it failed; -ENOMEM:
 * also, @arena's budget has no room for it, or where that has none, it is over quoit_parse_bytes_max() of what @message is encoded.
 */
int output_print(output_fn *print, void *context, const upb_Message *message,
        const upb_MiniTable *table, upb_Arena *arena, upb_StringView *ret_text);
