/* SPDX-License-Identifier: MIT */
#include "connect_json.h"

#include <errno.h>
#include <string.h>

#include <quoit/google/protobuf/any.quoit.h>
#include <quoit/google/protobuf/struct.quoit.h>
#include <quoit/google/rpc/status.quoit.h>
#include <quoit/json.h>

#include "../base64.h"
#include "fields.h"
#include "internal/connect.quoit.h"
#include "upb/mem/arena.h"

static const char *const codes[] = {
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

/* Of a code that nobody knows: UNKNOWN. */
static quoit_status status_of(upb_StringView code)
{
        for (unsigned i = QUOIT_CANCELLED; i < sizeof(codes) / sizeof(*codes); i++)
                if (upb_StringView_IsEqual(code, upb_StringView_FromString(codes[i])))
                        return (quoit_status)i;
        return QUOIT_UNKNOWN;
}

/* 0; -EBADMSG: it is no JSON of that type; -ENOMEM. */
static int parse(
        upb_StringView text, const upb_MiniTable *type, upb_Arena *arena, upb_Message **ret_message)
{
        static const quoit_file_descriptor *const files[] = { &internal_connect_proto_quoit_file };
        quoit_schema *schema;
        int r;

        if (quoit_schema_new(files, 1, &schema, NULL) < 0)
                return -ENOMEM;
        r = quoit_json_parse(
                schema, text, type, QUOIT_JSON_IGNORE_UNKNOWN, arena, ret_message, NULL);
        quoit_schema_free(schema);
        return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

/* ---- details ---- */

static bool add_detail(
        google_rpc_Status *status, const quoit_connect_Detail *detail, upb_Arena *arena)
{
        static const char prefix[] = "type.googleapis.com/";
        upb_StringView type = quoit_connect_Detail_type(detail);
        upb_StringView text = quoit_connect_Detail_value(detail);
        google_protobuf_Any *any = google_rpc_Status_add_details(status, arena);
        char *url = upb_Arena_Malloc(arena, strlen(prefix) + type.size);
        char *bytes = upb_Arena_Malloc(arena, text.size + 1);
        size_t size;

        if (!any || !url || !bytes || !base64_decode(text.data, text.size, bytes, &size))
                return false;
        memcpy(url, prefix, strlen(prefix));
        memcpy(url + strlen(prefix), type.data, type.size);
        google_protobuf_Any_set_type_url(
                any, upb_StringView_FromDataAndSize(url, strlen(prefix) + type.size));
        google_protobuf_Any_set_value(any, upb_StringView_FromDataAndSize(bytes, size));
        return true;
}

/* As gRPC has them. Empty if one of them cannot be read. */
static upb_StringView make_details(
        const struct http1_end *end, const quoit_connect_Error *error, upb_Arena *arena)
{
        upb_StringView bytes = upb_StringView_FromDataAndSize(NULL, 0);
        google_rpc_Status *status = google_rpc_Status_new(arena);
        const quoit_connect_Detail *const *details;
        size_t count;

        details = quoit_connect_Error_details(error, &count);
        if (!status || count == 0)
                return bytes;
        google_rpc_Status_set_code(status, (int32_t)end->status);
        google_rpc_Status_set_message(status, end->message);
        for (size_t i = 0; i < count; i++)
                if (!add_detail(status, details[i], arena))
                        return bytes;
        bytes.data = google_rpc_Status_serialize(status, arena, &bytes.size);
        return bytes;
}

/* ---- the two documents ---- */

static void take(struct http1_end *end, const quoit_connect_Error *error, upb_Arena *arena)
{
        end->status = status_of(quoit_connect_Error_code(error));
        end->message = quoit_connect_Error_message(error);
        end->details = make_details(end, error, arena);
}

int connect_take_error(struct http1_end *end, upb_StringView text, upb_Arena *arena)
{
        const quoit_connect_Error *error;
        upb_Message *message;
        int r = parse(text, &quoit_quoit__connect__Error_msg_init, arena, &message);

        if (r < 0)
                return r;
        error = (const void *)message;
        if (!quoit_connect_Error_code(error).size)
                return -EBADMSG;
        take(end, error, arena);
        return 0;
}

static int add_trailer(struct http1_end *end, upb_StringView key,
        const google_protobuf_ListValue *values, upb_Arena *arena)
{
        char *name = upb_Arena_Malloc(arena, key.size + 1);
        const google_protobuf_Value *const *list;
        size_t count;
        int r = 0;

        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < key.size; i++)
                name[i] = key.data[i] >= 'A' && key.data[i] <= 'Z' ? (char)(key.data[i] | 0x20)
                                                                   : key.data[i];
        name[key.size] = '\0';
        list = google_protobuf_ListValue_values(values, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
                quoit_metadata field = { name, google_protobuf_Value_string_value(list[i]) };

                r = fields_add(&end->trailers, &field, arena);
        }
        return r;
}

int connect_take_end(struct http1_end *end, upb_StringView text, upb_Arena *arena)
{
        const google_protobuf_ListValue *values;
        const quoit_connect_End *document;
        size_t at = kUpb_Map_Begin;
        upb_Message *message;
        upb_StringView key;
        int r = parse(text, &quoit_quoit__connect__End_msg_init, arena, &message);

        if (r < 0)
                return r;
        document = (const void *)message;
        while (r == 0 && quoit_connect_End_metadata_next(document, &key, &values, &at))
                r = add_trailer(end, key, values, arena);
        if (r == 0 && quoit_connect_End_has_error(document))
                take(end, quoit_connect_End_error(document), arena);
        return r;
}
