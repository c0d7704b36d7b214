/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "upb/mem/arena.h"
#include "upb/message/message.h"
#include "upb/mini_table/extension_registry.h"
#include "upb/mini_table/message.h"

/*
 * Bytes to upb messages and back. Errors inside upb unwind with longjmp within upb only; what was
 * allocated until then stays in the arena.
 *
 * What upb's encoder (35.1) does: it writes backwards, from the end of a buffer in the arena. The
 * buffer begins at 128 bytes and grows to the next power of two that is enough; growing extends it
 * in place if it is the arena's newest allocation and its block has room (one copy, to the new
 * end), else moves (two copies, the old buffer stays as waste in the arena until that goes). A
 * message of n bytes costs at most about 4n bytes of arena and 4n bytes of copying, a small one 128
 * bytes and no copy. The bytes in front of the message, up to the buffer's start, are spare; that
 * is where message_encode_framed() puts the prefix.
 */

/* Messages nested deeper than this are refused, in both directions. */
#define MESSAGE_DEPTH_MAX 100

/*
 * Decodes [@data, @data + @size) as the message type @table, into a new message in @arena. Strings,
 * bytes and unknown fields point into @data, which must live as long as the message: framing_feed()
 * puts it into the same arena. Strings are checked to be UTF-8 where their .proto says so (proto3
 * always). @extensions may be NULL: extensions are unknown fields then.
 *
 * Returns 0, or
 *   -EBADMSG  not such a message, or a required field (proto2) is missing
 *   -E2BIG    nested deeper than MESSAGE_DEPTH_MAX
 *   -ENOMEM   the arena can't grow
 */
int message_decode(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, upb_Arena *arena, upb_Message **ret_message);

/*
 * Encodes @message, of type @table, unknown fields included; the bytes are in @arena. *ret_data is
 * never NULL.
 *
 * Returns 0, or
 *   -EMSGSIZE  more than @bytes_max bytes
 *   -EINVAL    a required field (proto2) is not set
 *   -E2BIG     nested deeper than MESSAGE_DEPTH_MAX
 *   -ENOMEM    the arena can't grow
 */
int message_encode(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena,
        size_t bytes_max, uint8_t **ret_data, size_t *ret_size);

/*
 * The same with the prefix of an uncompressed gRPC message in front: *ret_size is
 * FRAMING_PREFIX_BYTES more than the message's, which @bytes_max bounds. No copy is made but for
 * messages whose size is within 5 below a power of two.
 */
int message_encode_framed(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena,
        size_t bytes_max, uint8_t **ret_data, size_t *ret_size);
