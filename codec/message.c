/* SPDX-License-Identifier: MIT */
#include "codec/message.h"

#include <errno.h>
#include <string.h>

#include "codec/flat.h"
#include "codec/framing.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

/* The encoder's buffer is a power of two of at least this. */
#define MESSAGE_ENCODE_BYTES_MIN ((size_t)128)

static int message_decode_error(upb_DecodeStatus status)
{
        switch (status) {
        case kUpb_DecodeStatus_Ok:
                return 0;
        case kUpb_DecodeStatus_OutOfMemory:
                return -ENOMEM;
        case kUpb_DecodeStatus_MaxDepthExceeded:
                return -E2BIG;
        default:
                return -EBADMSG;
        }
}

int message_decode(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, upb_Arena *arena, upb_Message **ret_message)
{
        int options = kUpb_DecodeOption_AliasString | kUpb_DecodeOption_CheckRequired |
                      (int)upb_DecodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        upb_Message *message = upb_Message_New(table, arena);
        int r;

        if (!message)
                return -ENOMEM;
        r = message_decode_error(
                upb_Decode((const char *)data, size, message, table, extensions, options, arena));
        if (r)
                return r;
        *ret_message = message;
        return 0;
}

static int message_encode_error(upb_EncodeStatus status)
{
        switch (status) {
        case kUpb_EncodeStatus_Ok:
                return 0;
        case kUpb_EncodeStatus_OutOfMemory:
                return -ENOMEM;
        case kUpb_EncodeStatus_MaxDepthExceeded:
                return -E2BIG;
        case kUpb_EncodeStatus_MissingRequired:
                return -EINVAL;
        default: /* over 2 GiB */
                return -EMSGSIZE;
        }
}

int message_encode(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena,
        size_t bytes_max, uint8_t **ret_data, size_t *ret_size)
{
        int options = kUpb_EncodeOption_CheckRequired |
                      (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        char *data;
        size_t size;
        int r;

        r = message_encode_error(upb_Encode(message, table, options, arena, &data, &size));
        if (r)
                return r;
        if (size > bytes_max)
                return -EMSGSIZE;
        *ret_data = (uint8_t *)data;
        *ret_size = size;
        return 0;
}

/*
 * Whether the encoder's buffer has room for the prefix in front of a message of @size bytes. The
 * message ends where the buffer does, and the buffer is at least as large as the power of two that
 * the message needs. An empty message has no buffer.
 */
static bool message_encode_has_room(size_t size)
{
        size_t capacity = MESSAGE_ENCODE_BYTES_MIN;

        while (capacity < size)
                capacity *= 2;
        return size && capacity - size >= FRAMING_PREFIX_BYTES;
}

static int encode_flat(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena,
        size_t size, uint8_t **ret_data, size_t *ret_size)
{
        uint8_t *framed = upb_Arena_Malloc(arena, FRAMING_PREFIX_BYTES + size);

        if (!framed)
                return -ENOMEM;
        flat_write_framed(framed, message, table, size);
        *ret_data = framed;
        *ret_size = FRAMING_PREFIX_BYTES + size;
        return 0;
}

int message_encode_framed(const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena,
        size_t bytes_max, uint8_t **ret_data, size_t *ret_size)
{
        uint8_t *body, *framed;
        size_t size;
        int r;

        if (bytes_max > UINT32_MAX)
                bytes_max = UINT32_MAX;
        if (flat_size(message, table, &size)) {
                if (size > bytes_max)
                        return -EMSGSIZE;
                return encode_flat(message, table, arena, size, ret_data, ret_size);
        }
        r = message_encode(message, table, arena, bytes_max, &body, &size);
        if (r)
                return r;
        if (message_encode_has_room(size)) {
                framed = body - FRAMING_PREFIX_BYTES;
        } else {
                framed = upb_Arena_Malloc(arena, FRAMING_PREFIX_BYTES + size);
                if (!framed)
                        return -ENOMEM;
                memcpy(framed + FRAMING_PREFIX_BYTES, body, size);
        }
        framing_write_prefix(framed, false, (uint32_t)size);
        *ret_data = framed;
        *ret_size = FRAMING_PREFIX_BYTES + size;
        return 0;
}
