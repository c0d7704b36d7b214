/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/*
 * The encoder of messages in which only singular numbers and strings are set, as in most streams. The only length that is known
 * late is that of the whole message, and it has a fixed size in the gRPC prefix. So they are encoded forwards, in one pass, in
 * the memory that they are sent from, without a later move. The bytes are the same as encode_framed()'s.
 */

/*
 * Encodes @message, of type @table, with its prefix, into the @room bytes at @place. Returns how many they are, or
 *   -ENOSPC   it may be too large for @room, also if it would leave less than a head's bytes
 *   -ENOTSUP  it is not of this kind, or text in it is not UTF-8: use encode_framed()
 * and then what the @room bytes hold is undefined.
 */
int encode_flat(
        uint8_t *place, size_t room, const upb_Message *message, const upb_MiniTable *table);
