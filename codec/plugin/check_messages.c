/* SPDX-License-Identifier: MIT */
#include "codec/plugin/check_parts.h"

/* Checks fields, oneofs, extensions and methods: that they are complete, and refer to existing things of the right kind. */

#define FIELD(f, member) google_protobuf_FieldDescriptorProto_##member(f)
#define TYPE(name) google_protobuf_FieldDescriptorProto_TYPE_##name
#define LABEL(name) google_protobuf_FieldDescriptorProto_LABEL_##name

enum { FIELD_NUMBER_MAX = 536870911 };

/* *ret_symbol is the type of @field: a message, an enum, or NULL. */
static bool messages_resolve_type(struct check *check, const char *where, const field_proto *field,
        struct symbol **ret_symbol)
{
        int32_t type = FIELD(field, type);
        bool is_message = type == TYPE(MESSAGE) || type == TYPE(GROUP);

        *ret_symbol = NULL;
        if (!FIELD(field, has_type))
                return check_fail(check, where, "it has no type");
        if (!is_message && type != TYPE(ENUM))
                return true;
        *ret_symbol = check_resolve(check, where, "type", FIELD(field, type_name));
        if (!*ret_symbol)
                return false;
        if (is_message ? !(*ret_symbol)->message : !(*ret_symbol)->enumeration)
                return check_fail(
                        check, where, "its type is not %s", is_message ? "a message" : "an enum");
        return true;
}

static bool messages_check_field(struct check *check, const char *where, const field_proto *field,
        const message_proto *message, size_t n_oneofs)
{
        struct symbol *type;

        if (!messages_resolve_type(check, where, field, &type))
                return false;
        if (FIELD(field, number) < 1 || FIELD(field, number) > FIELD_NUMBER_MAX)
                return check_fail(check, where, "its number is %d: it must be 1 to %d",
                        FIELD(field, number), FIELD_NUMBER_MAX);
        if (FIELD(field, has_extendee))
                return check_fail(check, where, "it is a field, but extends a message");
        if (FIELD(field, has_oneof_index) &&
                (FIELD(field, oneof_index) < 0 || (size_t)FIELD(field, oneof_index) >= n_oneofs))
                return check_fail(check, where, "its oneof %d is not one of the %zu that there are",
                        FIELD(field, oneof_index), n_oneofs);
        if (type && type->message && check_is_entry(type->message))
                return check_map(check, where, field, message, type);
        return true;
}

static bool messages_check_extension(
        struct check *check, const char *where, const field_proto *field)
{
        struct symbol *type, *extended;

        if (!messages_resolve_type(check, where, field, &type))
                return false;
        extended = check_resolve(check, where, "extended message", FIELD(field, extendee));
        if (!extended)
                return false;
        if (!extended->message)
                return check_fail(check, where, "what it extends is not a message");
        if (FIELD(field, number) < 1)
                return check_fail(check, where, "its number is %d: it must be positive",
                        FIELD(field, number));
        if (FIELD(field, label) == LABEL(REQUIRED))
                return check_fail(check, where, "extensions cannot be required");
        if (type && type->message && check_is_entry(type->message))
                return check_fail(check, where, "extensions cannot be maps");
        if (check_is_set(extended->message) &&
                (FIELD(field, type) != TYPE(MESSAGE) || FIELD(field, label) != LABEL(OPTIONAL)))
                return check_fail(check, where,
                        "it extends a message set, which takes optional messages only");
        return true;
}

static bool messages_check_extensions(
        struct check *check, const char *scope, const field_proto *const *fields, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!messages_check_extension(check,
                            check_full_name(check, scope, FIELD(fields[i], name)), fields[i]))
                        return false;
        return true;
}

/* upb expects each to have a field. */
static bool messages_check_oneofs(struct check *check, const char *where,
        const message_proto *message, const field_proto *const *fields, size_t n_fields)
{
        size_t n;
        const google_protobuf_OneofDescriptorProto *const *oneofs =
                google_protobuf_DescriptorProto_oneof_decl(message, &n);
        bool *has_field = memory_alloc(check->arena, n + 1);

        for (size_t i = 0; i < n; i++)
                has_field[i] = false;
        for (size_t i = 0; i < n_fields; i++)
                if (FIELD(fields[i], has_oneof_index))
                        has_field[FIELD(fields[i], oneof_index)] = true;
        for (size_t i = 0; i < n; i++)
                if (!has_field[i])
                        return check_fail(check,
                                check_full_name(check, where,
                                        google_protobuf_OneofDescriptorProto_name(oneofs[i])),
                                "the oneof has no fields");
        return true;
}

static bool messages_check_fields(
        struct check *check, const char *where, const message_proto *message)
{
        size_t n, n_oneofs;
        const field_proto *const *fields = google_protobuf_DescriptorProto_field(message, &n);

        google_protobuf_DescriptorProto_oneof_decl(message, &n_oneofs);
        for (size_t i = 0; i < n; i++)
                if (!messages_check_field(check,
                            check_full_name(check, where, FIELD(fields[i], name)), fields[i],
                            message, n_oneofs))
                        return false;
        return messages_check_oneofs(check, where, message, fields, n);
}

static bool messages_check(struct check *check, const char *scope, const message_proto *outer,
        const message_proto *const *messages, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const message_proto *message = messages[i];
                const char *where = check_full_name(
                        check, scope, google_protobuf_DescriptorProto_name(message));
                size_t n_extensions, n_nested;
                const field_proto *const *extensions =
                        google_protobuf_DescriptorProto_extension(message, &n_extensions);
                const message_proto *const *nested =
                        google_protobuf_DescriptorProto_nested_type(message, &n_nested);

                /* A map comes before its entry, which must be in use. */
                if (!messages_check_fields(check, where, message) ||
                        !messages_check_extensions(check, where, extensions, n_extensions) ||
                        !messages_check(check, where, message, nested, n_nested) ||
                        (check_is_entry(message) && !check_entry(check, where, message, outer)))
                        return false;
        }
        return true;
}

static bool messages_check_method_type(
        struct check *check, const char *where, const char *kind, upb_StringView type_name)
{
        struct symbol *type = check_resolve(check, where, kind, type_name);

        if (!type)
                return false;
        if (!type->message || check_is_entry(type->message))
                return check_fail(check, where, "its %s is not a message", kind);
        return true;
}

static bool messages_check_service(struct check *check, const char *scope,
        const google_protobuf_ServiceDescriptorProto *service)
{
        const char *service_name =
                check_full_name(check, scope, google_protobuf_ServiceDescriptorProto_name(service));
        size_t n;
        const google_protobuf_MethodDescriptorProto *const *methods =
                google_protobuf_ServiceDescriptorProto_method(service, &n);

        for (size_t i = 0; i < n; i++) {
                const char *where = check_full_name(check, service_name,
                        google_protobuf_MethodDescriptorProto_name(methods[i]));

                if (!messages_check_method_type(check, where, "request",
                            google_protobuf_MethodDescriptorProto_input_type(methods[i])) ||
                        !messages_check_method_type(check, where, "reply",
                                google_protobuf_MethodDescriptorProto_output_type(methods[i])))
                        return false;
        }
        return true;
}

bool check_definitions(struct check *check)
{
        const google_protobuf_FileDescriptorProto *file = check->source->proto;
        upb_StringView package = google_protobuf_FileDescriptorProto_package(file);
        const char *scope = memory_copy(check->arena, package.data, package.size);
        size_t n_extensions, n_messages, n_services;
        const field_proto *const *extensions =
                google_protobuf_FileDescriptorProto_extension(file, &n_extensions);
        const message_proto *const *messages =
                google_protobuf_FileDescriptorProto_message_type(file, &n_messages);
        const google_protobuf_ServiceDescriptorProto *const *services =
                google_protobuf_FileDescriptorProto_service(file, &n_services);

        if (!messages_check_extensions(check, scope, extensions, n_extensions) ||
                !messages_check(check, scope, NULL, messages, n_messages))
                return false;
        for (size_t i = 0; i < n_services; i++)
                if (!messages_check_service(check, scope, services[i]))
                        return false;
        return true;
}
