/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/*
 * The decoder of messages that hold only singular numbers and ASCII strings, as in most streams; encode_flat() is the other
 * direction. upb's decoder sets up a state, and a place for longjmp(), for each message: that takes longer than two fields do.
 */

/* No longer than this: in a longer one the setting up hardly counts. */
#define DECODE_FLAT_BYTES_MAX ((size_t)256)

/*
 * Decodes [@data, @data + @size) of the type @table into @message, which is new. Strings point into @data. True: the message is
 * what upb would have made of it. False: it is not of this kind, or malformed; decode it by upb into the same @message, where each
 * field that was set here will be set once more.
 */
bool decode_flat(
        const uint8_t *data, size_t size, upb_Message *message, const upb_MiniTable *table);
