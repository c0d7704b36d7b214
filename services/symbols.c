/* SPDX-License-Identifier: MIT */
#include "services/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "internal/outline.quoit.h"

struct file {
        const quoit_file_descriptor *descriptor;
        const quoit_outline_File *outline; /* in the arena */
};

struct symbols {
        upb_Arena *arena;
        struct file *files;
        size_t count;
        size_t capacity;
};

/* ---- making ---- */

static bool has_file(const struct symbols *symbols, const char *name)
{
        return symbols_find_file(symbols, upb_StringView_FromString(name)) != SYMBOLS_NONE;
}

static bool grow(struct symbols *symbols)
{
        size_t capacity = symbols->capacity ? symbols->capacity * 2 : 16;
        struct file *files = realloc(symbols->files, capacity * sizeof(*files));

        if (!files)
                return false;
        symbols->files = files;
        symbols->capacity = capacity;
        return true;
}

static bool add_file(struct symbols *symbols, const quoit_file_descriptor *descriptor)
{
        const quoit_outline_File *outline;

        if (has_file(symbols, descriptor->name))
                return true;
        if (symbols->count == symbols->capacity && !grow(symbols))
                return false;
        outline = quoit_outline_File_parse_ex(descriptor->bytes, descriptor->size, NULL,
                kUpb_DecodeOption_AliasString, symbols->arena);
        if (!outline)
                return false;
        symbols->files[symbols->count++] =
                (struct file){ .descriptor = descriptor, .outline = outline };
        return true;
}

/* The imports of a new file are added when the loop reaches it: no recursion. */
static bool add_imports(struct symbols *symbols)
{
        for (size_t i = 0; i < symbols->count; i++) {
                const quoit_file_descriptor *descriptor = symbols->files[i].descriptor;

                for (size_t k = 0; k < descriptor->dependency_count; k++) {
                        if (!add_file(symbols, descriptor->dependencies[k]))
                                return false;
                }
        }
        return true;
}

struct symbols *symbols_new(const quoit_file_descriptor *const *files, size_t count)
{
        struct symbols *symbols = calloc(1, sizeof(*symbols));
        bool ok;

        if (!symbols)
                return NULL;
        symbols->arena = upb_Arena_New();
        ok = symbols->arena;
        for (size_t i = 0; ok && i < count; i++)
                ok = add_file(symbols, files[i]);
        if (ok && add_imports(symbols))
                return symbols;
        symbols_free(symbols);
        return NULL;
}

void symbols_free(struct symbols *symbols)
{
        if (!symbols)
                return;
        if (symbols->arena)
                upb_Arena_Free(symbols->arena);
        free(symbols->files);
        free(symbols);
}

/* ---- files ---- */

size_t symbols_file_count(const struct symbols *symbols)
{
        return symbols->count;
}

const quoit_file_descriptor *symbols_file(const struct symbols *symbols, size_t file)
{
        return symbols->files[file].descriptor;
}

size_t symbols_find_file(const struct symbols *symbols, upb_StringView name)
{
        for (size_t i = 0; i < symbols->count; i++) {
                if (upb_StringView_IsEqual(
                            name, upb_StringView_FromString(symbols->files[i].descriptor->name)))
                        return i;
        }
        return SYMBOLS_NONE;
}

/* ---- names ---- */

/* Removes @scope and a dot from the front of @name. False: @name is not in @scope, or is @scope itself. */
static bool enter(upb_StringView *name, upb_StringView scope)
{
        if (scope.size >= name->size || memcmp(name->data, scope.data, scope.size) != 0 ||
                name->data[scope.size] != '.')
                return false;
        *name = upb_StringView_FromDataAndSize(
                name->data + scope.size + 1, name->size - scope.size - 1);
        return true;
}

static bool is_named(const quoit_outline_Named *const *list, size_t count, upb_StringView name)
{
        for (size_t i = 0; i < count; i++) {
                if (upb_StringView_IsEqual(quoit_outline_Named_name(list[i]), name))
                        return true;
        }
        return false;
}

static bool is_field(const quoit_outline_Field *const *list, size_t count, upb_StringView name)
{
        for (size_t i = 0; i < count; i++) {
                if (upb_StringView_IsEqual(quoit_outline_Field_name(list[i]), name))
                        return true;
        }
        return false;
}

/* The enum itself, or a value: that is in the scope of its enum. */
static bool is_enum(const quoit_outline_Enum *const *list, size_t count, upb_StringView name)
{
        for (size_t i = 0; i < count; i++) {
                size_t n;
                const quoit_outline_Named *const *values = quoit_outline_Enum_value(list[i], &n);

                if (upb_StringView_IsEqual(quoit_outline_Enum_name(list[i]), name) ||
                        is_named(values, n, name))
                        return true;
        }
        return false;
}

static bool is_in_messages(
        const quoit_outline_Message *const *list, size_t count, upb_StringView name);

static bool is_in_message(const quoit_outline_Message *message, upb_StringView name)
{
        size_t fields, oneofs, enums, extensions, messages;
        const quoit_outline_Field *const *field = quoit_outline_Message_field(message, &fields);
        const quoit_outline_Named *const *oneof =
                quoit_outline_Message_oneof_decl(message, &oneofs);
        const quoit_outline_Enum *const *enum_ = quoit_outline_Message_enum_type(message, &enums);
        const quoit_outline_Field *const *extension =
                quoit_outline_Message_extension(message, &extensions);
        const quoit_outline_Message *const *nested =
                quoit_outline_Message_nested_type(message, &messages);

        return is_field(field, fields, name) || is_named(oneof, oneofs, name) ||
               is_enum(enum_, enums, name) || is_field(extension, extensions, name) ||
               is_in_messages(nested, messages, name);
}

static bool is_in_messages(
        const quoit_outline_Message *const *list, size_t count, upb_StringView name)
{
        for (size_t i = 0; i < count; i++) {
                upb_StringView inner = name;

                if (upb_StringView_IsEqual(quoit_outline_Message_name(list[i]), name))
                        return true;
                if (enter(&inner, quoit_outline_Message_name(list[i])) &&
                        is_in_message(list[i], inner))
                        return true;
        }
        return false;
}

static bool is_in_services(
        const quoit_outline_Service *const *list, size_t count, upb_StringView name)
{
        for (size_t i = 0; i < count; i++) {
                upb_StringView inner = name;
                size_t n;
                const quoit_outline_Named *const *methods =
                        quoit_outline_Service_method(list[i], &n);

                if (upb_StringView_IsEqual(quoit_outline_Service_name(list[i]), name))
                        return true;
                if (enter(&inner, quoit_outline_Service_name(list[i])) &&
                        is_named(methods, n, inner))
                        return true;
        }
        return false;
}

static bool is_in_file(const quoit_outline_File *file, upb_StringView name)
{
        size_t messages, enums, services, extensions;
        const quoit_outline_Message *const *message =
                quoit_outline_File_message_type(file, &messages);
        const quoit_outline_Enum *const *enum_ = quoit_outline_File_enum_type(file, &enums);
        const quoit_outline_Service *const *service = quoit_outline_File_service(file, &services);
        const quoit_outline_Field *const *extension =
                quoit_outline_File_extension(file, &extensions);

        if (quoit_outline_File_package(file).size > 0 &&
                !enter(&name, quoit_outline_File_package(file)))
                return false;
        return is_in_messages(message, messages, name) || is_enum(enum_, enums, name) ||
               is_in_services(service, services, name) || is_field(extension, extensions, name);
}

size_t symbols_find(const struct symbols *symbols, upb_StringView symbol)
{
        for (size_t i = 0; i < symbols->count; i++) {
                if (is_in_file(symbols->files[i].outline, symbol))
                        return i;
        }
        return SYMBOLS_NONE;
}

/* ---- extensions ---- */

struct search {
        upb_StringView type;
        void (*fn)(void *user, int32_t number);
        void *user;
};

static void search_fields(
        const struct search *search, const quoit_outline_Field *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                upb_StringView extendee = quoit_outline_Field_extendee(list[i]);

                if (extendee.size == search->type.size + 1 &&
                        memcmp(extendee.data + 1, search->type.data, search->type.size) == 0)
                        search->fn(search->user, quoit_outline_Field_number(list[i]));
        }
}

static void search_messages(
        const struct search *search, const quoit_outline_Message *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                size_t extensions, messages;
                const quoit_outline_Field *const *extension =
                        quoit_outline_Message_extension(list[i], &extensions);
                const quoit_outline_Message *const *nested =
                        quoit_outline_Message_nested_type(list[i], &messages);

                search_fields(search, extension, extensions);
                search_messages(search, nested, messages);
        }
}

static void search_file(const struct search *search, const quoit_outline_File *file)
{
        size_t extensions, messages;
        const quoit_outline_Field *const *extension =
                quoit_outline_File_extension(file, &extensions);
        const quoit_outline_Message *const *message =
                quoit_outline_File_message_type(file, &messages);

        search_fields(search, extension, extensions);
        search_messages(search, message, messages);
}

void symbols_each_extension(const struct symbols *symbols, upb_StringView type,
        void (*fn)(void *user, int32_t number), void *user)
{
        const struct search search = { .type = type, .fn = fn, .user = user };

        for (size_t i = 0; i < symbols->count; i++)
                search_file(&search, symbols->files[i].outline);
}

struct wanted {
        int32_t number;
        bool found;
};

static void compare_number(void *user, int32_t number)
{
        struct wanted *wanted = user;

        wanted->found |= number == wanted->number;
}

size_t symbols_find_extension(const struct symbols *symbols, upb_StringView type, int32_t number)
{
        struct wanted wanted = { .number = number };
        const struct search search = { .type = type, .fn = compare_number, .user = &wanted };

        for (size_t i = 0; i < symbols->count; i++) {
                search_file(&search, symbols->files[i].outline);
                if (wanted.found)
                        return i;
        }
        return SYMBOLS_NONE;
}
