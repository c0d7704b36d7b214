/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "upb/mem/arena.h"

upb_StringView fields_get(const struct metadata *fields, const char *name)
{
        for (size_t i = 0; i < fields->count; i++)
                if (!strcmp(fields->list[i].name, name))
                        return fields->list[i].value;
        return upb_StringView_FromDataAndSize("", 0);
}

static bool is_bin(const char *name)
{
        size_t size = strlen(name);

        return size > 4 && !strcmp(name + size - 4, "-bin");
}

int fields_append(struct metadata *metadata, quoit_metadata field, struct upb_Arena *arena)
{
        size_t count = metadata->count, size = count * sizeof(field);
        quoit_metadata *list = metadata->list;

        if (count == ANSWER_FIELDS_MAX)
                return -EMSGSIZE;
        /* An arena keeps what it had before: the room is doubled when all of it is used. */
        if ((count & (count - 1)) == 0)
                list = upb_Arena_Realloc(arena, list, size, count ? 2 * size : sizeof(field));
        if (!list)
                return -ENOMEM;
        list[metadata->count++] = field;
        metadata->list = list;
        return 0;
}

/* One value in base64; one that is not is left as it came. */
static int append_bin(
        struct metadata *metadata, const char *name, upb_StringView text, struct upb_Arena *arena)
{
        char *bytes = upb_Arena_Malloc(arena, text.size + 1);
        size_t size;

        if (!bytes)
                return -ENOMEM;
        if (base64_decode(text.data, text.size, bytes, &size))
                text = upb_StringView_FromDataAndSize(bytes, size);
        return fields_append(metadata, (quoit_metadata){ name, text }, arena);
}

static upb_StringView trim(const char *begin, const char *end)
{
        while (begin < end && (*begin == ' ' || *begin == '\t'))
                begin++;
        while (begin < end && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        return upb_StringView_FromDataAndSize(begin, (size_t)(end - begin));
}

int fields_add(struct metadata *metadata, const quoit_metadata *field, struct upb_Arena *arena)
{
        const char *next = field->value.data, *end = next + field->value.size;

        if (!is_bin(field->name))
                return fields_append(metadata, *field, arena);
        for (;;) {
                const char *comma = memchr(next, ',', (size_t)(end - next));
                int r = append_bin(metadata, field->name, trim(next, comma ? comma : end), arena);

                if (r < 0 || !comma)
                        return r;
                next = comma + 1;
        }
}

static bool is_protocols(const char *name)
{
        static const char *const names[] = { "connection", "content-length", "content-type",
                "grpc-accept-encoding", "grpc-encoding", "grpc-message", "grpc-status",
                "keep-alive", "transfer-encoding" };

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (!strcmp(names[i], name))
                        return true;
        return false;
}

int fields_add_own(struct metadata *metadata, const struct metadata *fields, bool are_trailers,
        struct upb_Arena *arena)
{
        static const char prefix[] = "trailer-";
        int r = 0;

        for (size_t i = 0; r == 0 && i < fields->count; i++) {
                quoit_metadata field = fields->list[i];

                if (!strncmp(field.name, prefix, strlen(prefix)) != are_trailers)
                        continue;
                if (are_trailers)
                        field.name += strlen(prefix);
                if (!is_protocols(field.name))
                        r = fields_add(metadata, &field, arena);
        }
        return r;
}

/* ---- out ---- */

/* What gRPC's metadata may be; names of the protocol's own would say something else than is meant. */
static bool is_name(const char *name)
{
        return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name) &&
               strncmp(name, "grpc-", 5) != 0 && strncmp(name, "connect-", 8) != 0 &&
               strcmp(name, "host") != 0 && !is_protocols(name);
}

static bool is_value(upb_StringView value)
{
        for (size_t i = 0; i < value.size; i++)
                if (value.data[i] < ' ' || value.data[i] > '~')
                        return false;
        return true;
}

bool fields_are_good(const struct metadata *metadata)
{
        for (size_t i = 0; i < metadata->count; i++) {
                const quoit_metadata *field = &metadata->list[i];

                if (!is_name(field->name) || (!is_bin(field->name) && !is_value(field->value)))
                        return false;
        }
        return true;
}

/* Without padding, as all of them write it. */
static int print_bin(struct bytes *head, const quoit_metadata *field)
{
        char *text = malloc(BASE64_ENCODED_BYTES(field->value.size));
        int r = -ENOMEM;

        if (text) {
                base64_encode(field->value.data, field->value.size, text);
                r = bytes_print(head, "%s: %.*s\r\n", field->name, (int)strcspn(text, "="), text);
        }
        free(text);
        return r;
}

int fields_print(struct bytes *head, const struct metadata *metadata)
{
        int r = fields_are_good(metadata) ? 0 : -EINVAL;

        for (size_t i = 0; r == 0 && i < metadata->count; i++) {
                const quoit_metadata *field = &metadata->list[i];

                if (is_bin(field->name))
                        r = print_bin(head, field);
                else
                        r = bytes_print(head, "%s: %.*s\r\n", field->name, (int)field->value.size,
                                field->value.data);
        }
        return r;
}
