/* SPDX-License-Identifier: MIT */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/framing.h"
#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/*
 * A quick encoder for flat messages. A message is flat if nothing is set in it but singular scalars,
 * enums, strings and bytes: no message, group, repeated field or map, no extension, no unknown
 * field. It is a matter of what is set, not of the type: a message with an unset sub-message is flat.
 *
 * Flat messages are what streams are made of, and upb_Encode() spends several times as long on
 * them: it prepares to unwind, grows a buffer from nothing and writes it backwards. Here one pass
 * over the fields finds the size and a second writes forwards, right to where the bytes are needed.
 * The bytes are upb_Encode()'s. A type with required fields (proto2) is left to upb, which checks them.
 */

/*
 * The encoded size of @message, of type @table, in *ret_size. False if it is not flat, or would take
 * more than INT32_MAX bytes: upb_Encode() must do it, or refuse it, then.
 */
bool flat_size(const upb_Message *message, const upb_MiniTable *table, size_t *ret_size);

/*
 * Writes @message to @out, exactly the bytes that flat_size() found; it must have said yes, and the
 * message must not have changed since. Returns the end.
 */
uint8_t *flat_write(uint8_t *out, const upb_Message *message, const upb_MiniTable *table);

/*
 * Writes FRAMING_PREFIX_BYTES + @size bytes to @out: the prefix and the message, whose flat_size() is @size.
 */
static inline void flat_write_framed(
        uint8_t *out, const upb_Message *message, const upb_MiniTable *table, size_t size)
{
        uint8_t *end;

        framing_write_prefix(out, false, (uint32_t)size);
        end = flat_write(out + FRAMING_PREFIX_BYTES, message, table);
        assert(end == out + FRAMING_PREFIX_BYTES + size);
}
