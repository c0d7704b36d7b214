/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <quoit/schema.h>

/* Writes as snprintf() does. SIZE_MAX: it failed. */
typedef size_t output_fn(void *context, char *buf, size_t size);

/*
 * Puts the output of @print for @context, which is @message of the type @table, into a string in @arena. 0; -EINVAL: it failed;
 * -ENOMEM: no memory, or @arena's budget has no room for it, or, without a budget, it is larger than quoit_parse_bytes_max() of the
 * encoded message.
 */
int output_print(output_fn *print, void *context, const upb_Message *message,
        const upb_MiniTable *table, upb_Arena *arena, upb_StringView *ret_text);
