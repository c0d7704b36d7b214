/* SPDX-License-Identifier: MIT */
#include <quoit/details.h>

#include <errno.h>
#include <string.h>

#include "call/call.h"
#include "call/details.h"
#include "call/here.h"
#include "codec/base64.h"
#include "codec/message.h"
#include "codec/rpc_status.h"
#include "codec/status.h"
#include "codec/utf8.h"
#include "upb/wire/encode.h"

static int encode_detail(
        const quoit_detail *detail, upb_Arena *arena, struct rpc_detail *ret_encoded)
{
        int options = kUpb_EncodeOption_CheckRequired |
                      (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        struct rpc_detail encoded = { .type = upb_StringView_FromString(detail->type) };
        char *bytes;

        switch (upb_Encode(
                detail->message, detail->table, options, arena, &bytes, &encoded.value.size)) {
        case kUpb_EncodeStatus_Ok:
                encoded.value.data = bytes;
                *ret_encoded = encoded;
                return 0;
        case kUpb_EncodeStatus_OutOfMemory:
                return -ENOMEM;
        case kUpb_EncodeStatus_BadUtf8:
                return -EILSEQ;
        default:
                return -EINVAL;
        }
}

static int encode_details(
        const quoit_detail *details, size_t count, upb_Arena *arena, struct rpc_detail *encoded)
{
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++)
                r = encode_detail(details + i, arena, encoded + i);
        return r;
}

/* Whether a google.rpc.Status of @size bytes fits the trailers. */
static bool has_room(const quoit_call *call, size_t size)
{
        size_t field_bytes =
                strlen(RPC_STATUS_FIELD) + base64_encoded_size(size) + FIELD_OVERHEAD_BYTES;

        return call->handler.trailer_fields.bytes + field_bytes <=
               call_limits(call)->metadata_out_bytes_max;
}

int call_add_status_details(quoit_call *call, const void *bytes, size_t size)
{
        upb_Arena *arena = call_arena(call);
        size_t sent_size = base64_encoded_size(size);
        char *text;

        if (!has_room(call, size))
                return -E2BIG;
        text = arena ? upb_Arena_Malloc(arena, sent_size) : NULL;
        if (!text)
                return -ENOMEM;
        base64_encode(text, bytes, size);
        return fields_append(&call->handler.trailer_fields, arena, RPC_STATUS_FIELD,
                strlen(RPC_STATUS_FIELD), text, sent_size);
}

/* Adds it to the trailers. */
static int add_field(quoit_call *call, upb_Arena *arena, const struct rpc_status *status)
{
        size_t size = rpc_status_size(status);
        uint8_t *bytes;

        if (!has_room(call, size))
                return -E2BIG;
        bytes = upb_Arena_Malloc(arena, size);
        if (!bytes)
                return -ENOMEM;
        rpc_status_write(status, bytes);
        return call_add_status_details(call, bytes, size);
}

static int add_details(quoit_call *call, quoit_status status, const char *message,
        const quoit_detail *details, size_t count)
{
        upb_Arena *arena = call_arena(call);
        struct rpc_detail *encoded =
                arena ? upb_Arena_Malloc(arena, count * sizeof(*encoded)) : NULL;
        size_t message_size = message ? call_cut_status_text(message, strlen(message)) : 0;
        int r;

        if (status == QUOIT_OK)
                return -EINVAL;
        if (message && !utf8_is_valid(message, message_size))
                return -EILSEQ;
        if (!encoded)
                return -ENOMEM;
        r = encode_details(details, count, arena, encoded);
        if (r < 0)
                return r;
        return add_field(call, arena,
                &(struct rpc_status){
                        .status = status_or_unknown(status),
                        .message = { message, message_size },
                        .details = encoded,
                        .count = count,
                });
}

int quoit_call_finish_details(quoit_call *call, quoit_status status, const char *message,
        const quoit_detail *details, size_t count)
{
        int r;

        if (!call_is_here(call, __func__))
                return -EPERM;
        if (call->handler.finish_asked) {
                call_finish(call, status, message, 0);
                return -EALREADY;
        }
        r = count > 0 ? add_details(call, status, message, details, count) : 0;
        call_finish(call, status, message, message ? strlen(message) : 0);
        return r;
}
