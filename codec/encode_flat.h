/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/*
 * The encoder of messages in which nothing is set but numbers and strings, each once: most that are streamed. Their
 * only length that is known late is the whole message's, and a gRPC prefix keeps the same room for it however large it
 * is. So they are encoded forwards, in one pass, right where they are sent from, with no move behind it. The bytes are
 * those of encode_framed().
 */

/*
 * Encodes @message, of type @table, with its prefix, into the @room bytes at @place. Returns how many they are, or
 *   -ENOSPC   it may be too large for @room: one that leaves less than a head's bytes counts as such
 *   -ENOTSUP  it is not of this kind, or text in it is not UTF-8: encode_framed() takes it
 * and then what the @room bytes hold is undefined.
 */
int encode_flat(
        uint8_t *place, size_t room, const upb_Message *message, const upb_MiniTable *table);
