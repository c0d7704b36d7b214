/* SPDX-License-Identifier: MIT */
#include "codec/message.h"

#include <errno.h>

#include "codec/decode_flat.h"
#include "codec/required.h"
#include "upb/wire/decode.h"

#include <quoit/message.h>

static int message_decode_error(upb_DecodeStatus status)
{
        switch (status) {
        case kUpb_DecodeStatus_Ok:
                return 0;
        case kUpb_DecodeStatus_OutOfMemory:
                return -ENOMEM;
        case kUpb_DecodeStatus_MaxDepthExceeded:
                return -E2BIG;
        case kUpb_DecodeStatus_MissingRequired:
                return -ENODATA;
        case kUpb_DecodeStatus_BadUtf8:
                return -EILSEQ;
        default:
                return -EBADMSG;
        }
}

/* Into @message, which is new. Apart from its callers: a flat message does not pay for what upb's decoder sets up. */
static __attribute__((noinline)) int decode_by_upb(const char *data, size_t size,
        upb_Message *message, const upb_MiniTable *table, const upb_ExtensionRegistry *extensions,
        int options, upb_Arena *arena, struct field_place *ret_missing)
{
        struct field_place unwanted;
        upb_DecodeStatus status;

        options |= kUpb_DecodeOption_CheckRequired |
                   (int)upb_DecodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        status = upb_Decode(data, size, message, table, extensions, options, arena);
        /* upb checks at the end of each part of a message, but a later part can set fields that this one lacks. */
        if (status == kUpb_DecodeStatus_MissingRequired &&
                !required_find_missing(message, table, ret_missing ? ret_missing : &unwanted))
                status = kUpb_DecodeStatus_Ok;
        return message_decode_error(status);
}

int message_decode(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, upb_Arena *arena, upb_Message **ret_message,
        struct field_place *ret_missing)
{
        upb_Message *message = upb_Message_New(table, arena);
        int r = 0;

        if (!message)
                return -ENOMEM;
        if (size > DECODE_FLAT_BYTES_MAX || !decode_flat(data, size, message, table))
                r = decode_by_upb((const char *)data, size, message, table, extensions,
                        kUpb_DecodeOption_AliasString, arena, ret_missing);
        if (r == 0)
                *ret_message = message;
        return r;
}

int quoit_message_parse_checked(const char *buf, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, upb_Arena *arena, upb_Message **ret_message)
{
        bool is_bounded = arena && upb_Arena_GetBudget(arena);
        upb_Message *message;
        quoit_budget budget;
        int r = -ENOMEM;

        if (!arena)
                return -ENOMEM;
        if (!is_bounded) {
                quoit_budget_init(&budget, quoit_parse_bytes_max(size));
                upb_Arena_SetBudget(arena, &budget.upb);
        }
        message = upb_Message_New(table, arena);
        if (message)
                r = decode_by_upb(buf, size, message, table, registry, 0, arena, NULL);
        if (r == 0)
                *ret_message = message;
        if (!is_bounded)
                upb_Arena_SetBudget(arena, NULL);
        return r == -EILSEQ ? -EBADMSG : r;
}
