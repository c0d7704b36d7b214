/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "codec/plugin/check_parts.h"

/* Names in files: each must be an identifier, and be used only once. */

/* Generated code repeats a full name dozens of times for each thing in it. */
enum { FULL_NAME_BYTES_MAX = 1024 };

static bool symbols_is_identifier(const char *name, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                char c = name[i];
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

                if (!letter && (i == 0 || c < '0' || c > '9'))
                        return false;
        }
        return size;
}

static bool symbols_check_package(struct check *check)
{
        upb_StringView package = google_protobuf_FileDescriptorProto_package(check->source->proto);
        const char *part = package.data, *end, *dot;

        if (!package.size)
                return true;
        for (end = part + package.size; part <= end; part = dot + 1) {
                dot = memchr(part, '.', (size_t)(end - part));
                if (!dot)
                        dot = end;
                if (!symbols_is_identifier(part, (size_t)(dot - part)))
                        return check_fail(check, NULL,
                                "the package '%s' is not made of identifiers and dots",
                                text_line(check->arena, package.data, package.size));
        }
        return true;
}

char *check_full_name(struct check *check, const char *scope, upb_StringView name)
{
        return memory_format(check->arena, "%s%s%.*s", scope, *scope ? "." : "", (int)name.size,
                name.data ? name.data : "");
}

/* Checks @name, of a @kind of thing in @scope. Returns its full name, or NULL: the name is not allowed. */
static const char *symbols_add(struct check *check, const char *scope, const char *kind,
        upb_StringView name, struct symbol symbol)
{
        const char *where = *scope ? scope : NULL;
        struct symbol *copy;
        char *full_name;

        if (strlen(scope) + name.size > FULL_NAME_BYTES_MAX) {
                check_fail(check, where,
                        "the full name of %s in it has more than %d bytes: shorten it", kind,
                        FULL_NAME_BYTES_MAX);
                return NULL;
        }
        if (!symbols_is_identifier(name.data, name.size)) {
                check_fail(check, where, "%s in it is called '%s', which is not an identifier",
                        kind, text_line(check->arena, name.data, name.size));
                return NULL;
        }
        full_name = check_full_name(check, scope, name);
        if (check_lookup(&check->symbols, upb_StringView_FromString(full_name))) {
                check_fail(check, full_name, "the name stands for two things: rename one");
                return NULL;
        }
        copy = memory_alloc(check->arena, sizeof(*copy));
        *copy = symbol;
        copy->source = check->source;
        check_insert(check, &check->symbols, upb_StringView_FromString(full_name), copy);
        return full_name;
}

static bool symbols_add_plain(
        struct check *check, const char *scope, const char *kind, upb_StringView name)
{
        return symbols_add(check, scope, kind, name, (struct symbol){});
}

static bool symbols_add_fields(struct check *check, const char *scope, const char *kind,
        const field_proto *const *fields, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!symbols_add_plain(check, scope, kind,
                            google_protobuf_FieldDescriptorProto_name(fields[i])))
                        return false;
        return true;
}

/* Names of values are in the scope of their enum, not inside it. */
static bool symbols_add_enums(
        struct check *check, const char *scope, const enum_proto *const *enums, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                upb_StringView name = google_protobuf_EnumDescriptorProto_name(enums[i]);
                size_t n_values;
                const google_protobuf_EnumValueDescriptorProto *const *values =
                        google_protobuf_EnumDescriptorProto_value(enums[i], &n_values);

                if (!symbols_add(check, scope, "an enum", name,
                            (struct symbol){ .enumeration = enums[i] }))
                        return false;
                for (size_t j = 0; j < n_values; j++)
                        if (!symbols_add_plain(check, scope, "an enum's value",
                                    google_protobuf_EnumValueDescriptorProto_name(values[j])))
                                return false;
        }
        return true;
}

static bool symbols_add_messages(struct check *check, const char *scope, const message_proto *outer,
        const message_proto *const *messages, size_t n);

static bool symbols_add_inside(
        struct check *check, const char *full_name, const message_proto *message)
{
        size_t n_fields, n_extensions, n_oneofs, n_enums, n_messages;
        const field_proto *const *fields =
                google_protobuf_DescriptorProto_field(message, &n_fields);
        const field_proto *const *extensions =
                google_protobuf_DescriptorProto_extension(message, &n_extensions);
        const google_protobuf_OneofDescriptorProto *const *oneofs =
                google_protobuf_DescriptorProto_oneof_decl(message, &n_oneofs);
        const enum_proto *const *enums =
                google_protobuf_DescriptorProto_enum_type(message, &n_enums);
        const message_proto *const *messages =
                google_protobuf_DescriptorProto_nested_type(message, &n_messages);

        for (size_t i = 0; i < n_oneofs; i++)
                if (!symbols_add_plain(check, full_name, "a oneof",
                            google_protobuf_OneofDescriptorProto_name(oneofs[i])))
                        return false;
        return symbols_add_fields(check, full_name, "a field", fields, n_fields) &&
               symbols_add_fields(check, full_name, "an extension", extensions, n_extensions) &&
               symbols_add_enums(check, full_name, enums, n_enums) &&
               symbols_add_messages(check, full_name, message, messages, n_messages);
}

static bool symbols_add_messages(struct check *check, const char *scope, const message_proto *outer,
        const message_proto *const *messages, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *full_name = symbols_add(check, scope, "a message",
                        google_protobuf_DescriptorProto_name(messages[i]),
                        (struct symbol){ .message = messages[i], .outer = outer });

                if (!full_name || !symbols_add_inside(check, full_name, messages[i]))
                        return false;
        }
        return true;
}

static bool symbols_add_services(struct check *check, const char *scope)
{
        size_t n;
        const google_protobuf_ServiceDescriptorProto *const *services =
                google_protobuf_FileDescriptorProto_service(check->source->proto, &n);

        for (size_t i = 0; i < n; i++) {
                const char *full_name = symbols_add(check, scope, "a service",
                        google_protobuf_ServiceDescriptorProto_name(services[i]),
                        (struct symbol){});
                size_t n_methods;
                const google_protobuf_MethodDescriptorProto *const *methods =
                        google_protobuf_ServiceDescriptorProto_method(services[i], &n_methods);

                for (size_t j = 0; full_name && j < n_methods; j++)
                        if (!symbols_add_plain(check, full_name, "a method",
                                    google_protobuf_MethodDescriptorProto_name(methods[j])))
                                return false;
                if (!full_name)
                        return false;
        }
        return true;
}

bool check_symbols(struct check *check)
{
        const google_protobuf_FileDescriptorProto *file = check->source->proto;
        upb_StringView package = google_protobuf_FileDescriptorProto_package(file);
        const char *scope = memory_copy(check->arena, package.data, package.size);
        size_t n_enums, n_extensions, n_messages;
        const enum_proto *const *enums =
                google_protobuf_FileDescriptorProto_enum_type(file, &n_enums);
        const field_proto *const *extensions =
                google_protobuf_FileDescriptorProto_extension(file, &n_extensions);
        const message_proto *const *messages =
                google_protobuf_FileDescriptorProto_message_type(file, &n_messages);

        return symbols_check_package(check) && symbols_add_enums(check, scope, enums, n_enums) &&
               symbols_add_fields(check, scope, "an extension", extensions, n_extensions) &&
               symbols_add_messages(check, scope, NULL, messages, n_messages) &&
               symbols_add_services(check, scope);
}

/* protoc writes them out in full. */
struct symbol *check_resolve(
        struct check *check, const char *where, const char *kind, upb_StringView type_name)
{
        const char *shown = text_line(check->arena, type_name.data, type_name.size);
        struct symbol *symbol = NULL;

        if (!type_name.size || type_name.data[0] != '.') {
                check_fail(check, where,
                        "the name of its %s is '%s', which is not a full one: .package.Name", kind,
                        shown);
                return NULL;
        }
        symbol = (struct symbol *)check_lookup(&check->symbols,
                upb_StringView_FromDataAndSize(type_name.data + 1, type_name.size - 1));
        if (!symbol || symbol->source->seen_by != check->source) {
                check_fail(check, where, "its %s %s is not in this file, nor in what it imports",
                        kind, shown);
                return NULL;
        }
        return symbol;
}
