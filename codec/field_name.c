/* SPDX-License-Identifier: MIT */
#include "codec/field_name.h"

#include <inttypes.h>
#include <stdio.h>

#include "codec/wire.h"

#define FILES_MAX 256 /* what more files define has no name */

/* The numbers of fields in descriptor.proto. */
enum {
        FILE_PACKAGE = 2,
        FILE_MESSAGES = 4,
        MESSAGE_NAME = 1,
        MESSAGE_FIELDS = 2,
        MESSAGE_NESTED = 3,
        FIELD_NAME = 1,
        FIELD_NUMBER = 3,
};

/* ---- files ---- */

struct files {
        const quoit_file_descriptor *list[FILES_MAX];
        size_t count;
};

static void add_file(struct files *files, const quoit_file_descriptor *file)
{
        for (size_t i = 0; i < files->count; i++)
                if (files->list[i] == file)
                        return;
        if (files->count < FILES_MAX)
                files->list[files->count++] = file;
}

/* The message's place among those of @file, each behind what it is nested in; -1: it has another. */
static int place_of(const quoit_file_descriptor *file, const upb_MiniTable *table)
{
        for (int i = 0; i < upb_MiniTableFile_MessageCount(file->layout); i++)
                if (upb_MiniTableFile_Message(file->layout, i) == table)
                        return i;
        return -1;
}

/* Which of @file and its imports defines the message; NULL: none. */
static const quoit_file_descriptor *find_file(
        const quoit_file_descriptor *file, const upb_MiniTable *table, int *ret_place)
{
        struct files files = { .list = { file }, .count = file ? 1 : 0 };

        for (size_t i = 0; i < files.count; i++) {
                int place = place_of(files.list[i], table);

                if (place >= 0) {
                        *ret_place = place;
                        return files.list[i];
                }
                for (size_t k = 0; k < files.list[i]->dependency_count; k++)
                        add_file(&files, files.list[i]->dependencies[k]);
        }
        return NULL;
}

/* ---- descriptors ---- */

/* The next field of that number. */
static bool next_of(struct wire_cursor *cursor, uint32_t number, struct wire_field *ret_field)
{
        while (wire_next(cursor, ret_field))
                if (ret_field->number == number)
                        return true;
        return false;
}

/* What is cut or missing is shorter. Returns the size of @name now. */
static size_t append(
        char name[FIELD_NAME_BYTES], size_t size, struct wire_cursor message, uint32_t number)
{
        struct wire_field text;
        int written;

        if (!next_of(&message, number, &text))
                return size;
        written = snprintf(name + size, FIELD_NAME_BYTES - size, "%s%.*s", size > 0 ? "." : "",
                (int)text.value, (const char *)text.bytes.at);
        size += (size_t)written;
        return size < FIELD_NAME_BYTES ? size : FIELD_NAME_BYTES - 1;
}

/*
 * The message at *@place of those that the fields @number of @outer are, which is called @name so far. False, and *@place is less by
 * as many as they are: it comes later.
 */
static bool find_message(struct wire_cursor outer, uint32_t number, int *place,
        char name[FIELD_NAME_BYTES], size_t size, struct wire_cursor *ret_message, size_t *ret_size)
{
        struct wire_field message;

        while (next_of(&outer, number, &message)) {
                size_t inner_size = append(name, size, message.bytes, MESSAGE_NAME);

                if ((*place)-- == 0) {
                        *ret_message = message.bytes;
                        *ret_size = inner_size;
                        return true;
                }
                if (find_message(message.bytes, MESSAGE_NESTED, place, name, inner_size,
                            ret_message, ret_size))
                        return true;
        }
        return false;
}

static bool is_number(struct wire_cursor field, uint32_t number)
{
        struct wire_field value;

        return next_of(&field, FIELD_NUMBER, &value) && value.value == number;
}

/* False: the message's own fields have no such number. */
static bool append_field(
        char name[FIELD_NAME_BYTES], size_t size, struct wire_cursor message, uint32_t number)
{
        struct wire_field field;

        while (next_of(&message, MESSAGE_FIELDS, &field)) {
                if (is_number(field.bytes, number))
                        return append(name, size, field.bytes, FIELD_NAME) > size;
        }
        return false;
}

/* The descriptor of the message with @table, and the size of its full name in @name. False: it is not known. */
static bool locate_message(char name[FIELD_NAME_BYTES], const quoit_file_descriptor *file,
        const upb_MiniTable *table, struct wire_cursor *ret_message, size_t *ret_size)
{
        struct wire_cursor bytes;
        int place;

        file = find_file(file, table, &place);
        if (!file)
                return false;
        bytes = (struct wire_cursor){ (const uint8_t *)file->bytes,
                (const uint8_t *)file->bytes + file->size };
        return find_message(bytes, FILE_MESSAGES, &place, name,
                append(name, 0, bytes, FILE_PACKAGE), ret_message, ret_size);
}

void field_name(char name[FIELD_NAME_BYTES], const quoit_file_descriptor *file,
        const upb_MiniTable *table, uint32_t number)
{
        char message_name[FIELD_NAME_BYTES - sizeof("field 4294967295 of ")];
        struct wire_cursor message;
        size_t size;

        if (!locate_message(name, file, table, &message, &size)) {
                snprintf(name, FIELD_NAME_BYTES, "field %" PRIu32, number);
                return;
        }
        if (append_field(name, size, message, number))
                return;
        snprintf(message_name, sizeof(message_name), "%.*s", (int)size, name);
        snprintf(name, FIELD_NAME_BYTES, "field %" PRIu32 " of %s", number, message_name);
}

bool message_name(
        char name[FIELD_NAME_BYTES], const quoit_file_descriptor *file, const upb_MiniTable *table)
{
        struct wire_cursor message;
        size_t size;

        return locate_message(name, file, table, &message, &size);
}
