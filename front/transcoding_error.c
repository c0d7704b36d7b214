/* SPDX-License-Identifier: MIT */
#include "front/transcoding.h"

#include <stdio.h>

#include "codec/status.h"
#include "front/error.h"
#include "front/text.h"

/* A google.protobuf.Any in JSON. If its type is not known, its bytes are a string of base64. */
static void add_detail(struct text *text, struct quoit_call *call, const struct rpc_detail *detail)
{
        bool is_special;
        upb_StringView json;
        upb_Arena *arena = upb_Arena_New();

        text_add_string(text, "{\"@type\":");
        text_add_json(text, detail->type.data, detail->type.size);
        if (!arena || !error_detail_print(call, detail, arena, &is_special, &json)) {
                text_add_string(text, ",\"value\":\"");
                text_add_base64(text, detail->value.data, detail->value.size, true);
                text_add_string(text, "\"}");
        } else if (is_special) {
                text_add_string(text, ",\"value\":");
                text_add(text, json.data, json.size);
                text_add_string(text, "}");
        } else {
                if (json.size > 2)
                        text_add_string(text, ",");
                text_add(text, json.data + 1, json.size - 1);
        }
        if (arena)
                upb_Arena_Free(arena);
}

static void add_details(struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        struct text bytes;
        upb_StringView status = error_details(end, &bytes);
        struct rpc_detail detail;
        bool any = false;

        while (rpc_status_next_detail(&status, &detail)) {
                if (any)
                        text_add_string(text, ",");
                add_detail(text, call, &detail);
                any = true;
        }
        text->failed |= bytes.failed;
        text_deinit(&bytes);
}

void transcoding_error_add(
        struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        char code[16];

        snprintf(code, sizeof(code), "%d", (int)status_or_unknown(end->status));
        text_add_string(text, "{\"code\":");
        text_add_string(text, code);
        text_add_string(text, ",\"message\":");
        error_add_message(text, end);
        text_add_string(text, ",\"details\":[");
        add_details(text, call, end);
        text_add_string(text, "]}");
}
