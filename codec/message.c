/* SPDX-License-Identifier: MIT */
#include "codec/message.h"

#include <errno.h>

#include "codec/required.h"
#include "upb/wire/decode.h"

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
        upb_DecodeStatus status;
        int r;

        if (!message)
                return -ENOMEM;
        status = upb_Decode((const char *)data, size, message, table, extensions, options, arena);
        /* upb looks where a part of a message ends: another part may bring what this one lacks. */
        if (status == kUpb_DecodeStatus_MissingRequired && required_are_set(message, table))
                status = kUpb_DecodeStatus_Ok;
        r = message_decode_error(status);
        if (r)
                return r;
        *ret_message = message;
        return 0;
}
