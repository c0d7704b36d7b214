/* SPDX-License-Identifier: MIT */
#include "front/connect_error.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/percent.h"
#include "codec/status.h"
#include "codec/wire.h"

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
        return field->name_size == strlen(CONNECT_DETAILS_FIELD) &&
               memcmp(field->name, CONNECT_DETAILS_FIELD, field->name_size) == 0;
}

static void add_message(struct text *text, const struct dialect_end *end)
{
        struct text raw;

        text_init(&raw);
        text_add(&raw, end->text, end->text_size);
        raw.size = percent_decode(raw.data, raw.data, raw.size);
        text->failed |= raw.failed;
        text_add_string(text, ",\"message\":");
        text_add_json(text, raw.data, raw.size);
        text_deinit(&raw);
}

/* A google.protobuf.Any: its type's name is behind the last slash of the URL. */
static void add_detail(struct text *text, struct wire_cursor any)
{
        struct wire_cursor url = { 0 }, value = { 0 };
        struct wire_field field;
        const uint8_t *name;

        while (wire_next(&any, &field)) {
                if (field.type == kUpb_WireType_Delimited && field.number == 1)
                        url = field.bytes;
                else if (field.type == kUpb_WireType_Delimited && field.number == 2)
                        value = field.bytes;
        }
        name = url.at ? memrchr(url.at, '/', (size_t)(url.end - url.at)) : NULL;
        name = name ? name + 1 : url.at;
        text_add_string(text, "{\"type\":");
        text_add_json(text, (const char *)name, (size_t)(url.end - name));
        text_add_string(text, ",\"value\":\"");
        text_add_base64(text, value.at, (size_t)(value.end - value.at), false);
        text_add_string(text, "\"}");
}

/* The details of a google.rpc.Status. */
static void add_details(struct text *text, struct wire_cursor status)
{
        const char *before = ",\"details\":[";
        struct wire_field field;
        bool any = false;

        while (wire_next(&status, &field)) {
                if (field.type != kUpb_WireType_Delimited || field.number != 3)
                        continue;
                text_add_string(text, any ? "," : before);
                add_detail(text, field.bytes);
                any = true;
        }
        if (any)
                text_add_string(text, "]");
}

static void add_details_field(struct text *text, const struct field *field)
{
        struct text raw;
        size_t size;

        text_init(&raw);
        text_add(&raw, field->value, field->value_size);
        text->failed |= raw.failed;
        if (base64_decode((uint8_t *)raw.data, raw.data, raw.size, &size) == 0)
                add_details(text,
                        (struct wire_cursor){ (uint8_t *)raw.data, (uint8_t *)raw.data + size });
        text_deinit(&raw);
}

void connect_error_add(struct text *text, const struct dialect_end *end)
{
        const struct field *field = end->trailers ? end->trailers->first : NULL;

        text_add_string(text, "{\"code\":\"");
        text_add_string(text, code_of(end->status));
        text_add_string(text, "\"");
        if (end->text_size > 0)
                add_message(text, end);
        while (field && !connect_is_details(field))
                field = field->next;
        if (field)
                add_details_field(text, field);
        text_add_string(text, "}");
}
