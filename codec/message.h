/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/field_place.h"
#include "upb/mem/arena.h"
#include "upb/message/message.h"
#include "upb/mini_table/extension_registry.h"
#include "upb/mini_table/message.h"

/*
 * Decodes bytes to upb messages; encode.h is the other direction. Errors inside upb unwind with longjmp only within upb; memory
 * that was allocated until then stays in the arena.
 */

/*
 * How deep messages can be nested; groups and entries of maps count too. The same in both directions, and in protobuf's other
 * parsers.
 */
#define MESSAGE_DEPTH_MAX 100

/*
 * Decodes [@data, @data + @size) as the message type @table, into a new message in @arena. Strings, bytes and unknown fields
 * point into @data, which must live as long as the message: framing_feed() puts it into the same arena. Strings must be UTF-8
 * where their .proto file requires it (proto3 always). @extensions may be NULL: extensions are unknown fields then.
 *
 * Returns 0, or
 *   -EBADMSG  not such a message
 *   -EILSEQ   text in it is not UTF-8: bad_text_find() tells which
 *   -ENODATA  a required field (proto2) is missing: *@ret_missing (NULL: not wanted)
 *   -E2BIG    nested deeper than MESSAGE_DEPTH_MAX
 *   -ENOMEM   the arena can't grow
 */
int message_decode(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, upb_Arena *arena, upb_Message **ret_message,
        struct field_place *ret_missing);
