/* SPDX-License-Identifier: MIT */
#include "front/connect_error.h"

#include <string.h>

#include "codec/rpc_status.h"
#include "codec/status.h"
#include "front/error.h"

static const char *code_of(quoit_status status)
{
        static const char *const names[] = {
                [QUOIT_CANCELLED] = "canceled",
                [QUOIT_UNKNOWN] = "unknown",
                [QUOIT_INVALID_ARGUMENT] = "invalid_argument",
                [QUOIT_DEADLINE_EXCEEDED] = "deadline_exceeded",
                [QUOIT_NOT_FOUND] = "not_found",
                [QUOIT_ALREADY_EXISTS] = "already_exists",
                [QUOIT_PERMISSION_DENIED] = "permission_denied",
                [QUOIT_RESOURCE_EXHAUSTED] = "resource_exhausted",
                [QUOIT_FAILED_PRECONDITION] = "failed_precondition",
                [QUOIT_ABORTED] = "aborted",
                [QUOIT_OUT_OF_RANGE] = "out_of_range",
                [QUOIT_UNIMPLEMENTED] = "unimplemented",
                [QUOIT_INTERNAL] = "internal",
                [QUOIT_UNAVAILABLE] = "unavailable",
                [QUOIT_DATA_LOSS] = "data_loss",
                [QUOIT_UNAUTHENTICATED] = "unauthenticated",
        };

        return names[status_or_unknown(status)];
}

bool connect_is_details(const struct field *field)
{
        return field->name_size == strlen(RPC_STATUS_FIELD) &&
               memcmp(field->name, RPC_STATUS_FIELD, field->name_size) == 0;
}

/* For people, where the server knows the type. */
static void add_debug(struct text *text, struct quoit_call *call, const struct rpc_detail *detail)
{
        upb_Arena *arena = upb_Arena_New();
        upb_StringView json;
        bool is_special;

        if (arena && error_detail_print(call, detail, arena, &is_special, &json)) {
                text_add_string(text, ",\"debug\":");
                text_add(text, json.data, json.size);
        }
        if (arena)
                upb_Arena_Free(arena);
}

/* A google.protobuf.Any. */
static void add_detail(struct text *text, struct quoit_call *call, const struct rpc_detail *detail)
{
        upb_StringView name = error_detail_name(detail);

        text_add_string(text, "{\"type\":");
        text_add_json(text, name.data, name.size);
        text_add_string(text, ",\"value\":\"");
        text_add_base64(text, detail->value.data, detail->value.size, false);
        text_add_string(text, "\"");
        add_debug(text, call, detail);
        text_add_string(text, "}");
}

static void add_details(struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        struct text bytes;
        upb_StringView status = error_details(end, &bytes);
        struct rpc_detail detail;
        bool any = false;

        while (rpc_status_next_detail(&status, &detail)) {
                text_add_string(text, any ? "," : ",\"details\":[");
                add_detail(text, call, &detail);
                any = true;
        }
        if (any)
                text_add_string(text, "]");
        text->failed |= bytes.failed;
        text_deinit(&bytes);
}

void connect_error_add(struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        text_add_string(text, "{\"code\":\"");
        text_add_string(text, code_of(end->status));
        text_add_string(text, "\"");
        if (end->text_size > 0) {
                text_add_string(text, ",\"message\":");
                error_add_message(text, end);
        }
        add_details(text, call, end);
        text_add_string(text, "}");
}
