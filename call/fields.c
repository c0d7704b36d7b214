/* SPDX-License-Identifier: MIT */
#include "call/fields.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/copy.h"
#include "codec/metadata.h"
#include "codec/number.h"

static void append(struct fields *fields, struct field *field)
{
        if (fields->last)
                fields->last->next = field;
        else
                fields->first = field;
        fields->last = field;
        fields->count++;
        fields->bytes += field->name_size + field->value_size + FIELD_OVERHEAD_BYTES;
}

int fields_append(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size)
{
        struct field *field = upb_Arena_Malloc(arena, sizeof(*field));

        if (!field)
                return -ENOMEM;
        *field = (struct field){
                .name = name,
                .name_size = name_size,
                .value = value,
                .value_size = value_size,
        };
        append(fields, field);
        return 0;
}

int fields_append_copy(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size)
{
        /* node, name and value */
        struct field *field = upb_Arena_Malloc(arena, sizeof(*field) + name_size + value_size);
        char *bytes = (char *)(field + 1);

        if (!field)
                return -ENOMEM;
        *field = (struct field){
                .name = bytes,
                .name_size = name_size,
                .value = bytes + name_size,
                .value_size = value_size,
        };
        copy_short((uint8_t *)bytes, (const uint8_t *)name, name_size);
        copy_short((uint8_t *)bytes + name_size, (const uint8_t *)value, value_size);
        append(fields, field);
        return 0;
}

/* Copies @name, and leaves @value_room bytes behind it for the value. */
static char *copy_name(upb_Arena *arena, const char *name, size_t name_size, size_t value_room)
{
        char *copy = upb_Arena_Malloc(arena, name_size + value_room);

        return copy ? memcpy(copy, name, name_size) : NULL;
}

int fields_receive_binary(struct fields *fields, upb_Arena *arena, const char *name,
        size_t name_size, const char *value, size_t value_size, size_t count_max)
{
        char *copy = copy_name(arena, name, name_size, base64_decoded_size_max(value_size));
        uint8_t *place = (uint8_t *)copy + name_size;
        struct metadata_binary walk;
        size_t size = 0;
        int r;

        if (!copy)
                return -ENOMEM;
        metadata_binary_init(&walk, value, value_size);
        while ((r = metadata_binary_next(&walk, place, &size)) != 0) {
                if (r < 0)
                        continue; /* not base64: this value is dropped, the call goes on */
                if (fields->count >= count_max)
                        return -E2BIG;
                r = fields_append(fields, arena, copy, name_size, (char *)place, size);
                if (r < 0)
                        return r;
                place += size;
        }
        return 0;
}

int fields_receive(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size, size_t count_max)
{
        if (!metadata_name_valid(name, name_size) || metadata_name_reserved(name, name_size))
                return 0;
        if (metadata_name_binary(name, name_size))
                return fields_receive_binary(
                        fields, arena, name, name_size, value, value_size, count_max);
        if (!metadata_value_valid(value, value_size))
                return 0;
        return fields_append_copy(fields, arena, name, name_size, value, value_size);
}

/* HTTP's own names: the library sets them, or a peer must treat the answer as malformed (RFC 9113 section 8.2.2). */
static bool is_http_name(const char *name)
{
        static const char *const names[] = { "connection", "content-length", "content-type",
                "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (strcmp(name, names[i]) == 0)
                        return true;
        }
        return false;
}

int fields_send(struct fields *fields, upb_Arena *arena, const char *name, const char *value,
        size_t value_size, size_t bytes_max)
{
        size_t name_size = strlen(name);
        bool binary = metadata_name_binary(name, name_size);
        size_t sent_size = binary ? base64_encoded_size(value_size) : value_size;
        char *copy;

        if (!metadata_name_valid(name, name_size) || metadata_name_reserved(name, name_size) ||
                is_http_name(name))
                return -EINVAL;
        if (!binary && !metadata_value_valid(value, value_size))
                return -EINVAL;
        if (sent_size > bytes_max ||
                fields->bytes + name_size + sent_size + FIELD_OVERHEAD_BYTES > bytes_max)
                return -E2BIG;
        copy = copy_name(arena, name, name_size, sent_size);
        if (!copy)
                return -ENOMEM;
        if (binary)
                base64_encode(copy + name_size, (const uint8_t *)value, value_size);
        else if (value_size > 0)
                memcpy(copy + name_size, value, value_size);
        return fields_append(fields, arena, copy, name_size, copy + name_size, sent_size);
}

void fields_replace_by_last(struct fields *fields)
{
        const struct field *last = fields->last;
        struct fields rest = { 0 };
        struct field *next;

        for (struct field *field = fields->first; field; field = next) {
                next = field->next;
                field->next = NULL;
                if (field == last || field->name_size != last->name_size ||
                        memcmp(field->name, last->name, last->name_size) != 0)
                        append(&rest, field);
        }
        *fields = rest;
}

bool fields_find(const struct fields *fields, const char *name, upb_StringView *ret_value)
{
        size_t size = strlen(name);

        for (const struct field *field = fields->first; field; field = field->next) {
                if (field->name_size == size && memcmp(field->name, name, size) == 0) {
                        *ret_value =
                                upb_StringView_FromDataAndSize(field->value, field->value_size);
                        return true;
                }
        }
        return false;
}

uint64_t fields_content_length(const struct fields *fields)
{
        upb_StringView text;
        uint64_t length = 0;

        if (fields_find(fields, "content-length", &text) &&
                number_parse(text.data, text.size, UINT64_MAX, &length) == -ERANGE)
                return UINT64_MAX;
        return length;
}

bool fields_next(const struct fields *fields, size_t *cursor, upb_StringView *ret_name,
        upb_StringView *ret_value)
{
        const struct field *last = (const struct field *)(uintptr_t)*cursor;
        const struct field *field = last ? last->next : fields->first;

        if (!field)
                return false;
        *ret_name = upb_StringView_FromDataAndSize(field->name, field->name_size);
        *ret_value = upb_StringView_FromDataAndSize(field->value, field->value_size);
        *cursor = (size_t)(uintptr_t)field;
        return true;
}
