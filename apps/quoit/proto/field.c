/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "literal.h"
#include "names.h"
#include "options.h"
#include "parts.h"
#include "scalar.h"

static bool is_group(const field_proto *field)
{
        return google_protobuf_FieldDescriptorProto_type(field) ==
               google_protobuf_FieldDescriptorProto_TYPE_GROUP;
}

static const char *type_name(struct printer *p, const char *scope, const field_proto *field)
{
        const char *name = scalar_name(google_protobuf_FieldDescriptorProto_type(field));

        /* Without a type it is one with a name. */
        if (google_protobuf_FieldDescriptorProto_has_type(field) && name)
                return name;
        return names_of_type(p, scope, google_protobuf_FieldDescriptorProto_type_name(field));
}

static void print_label(struct printer *p, const struct scope *scope, const field_proto *field)
{
        int label = google_protobuf_FieldDescriptorProto_label(field);

        if (scope_oneof_of(scope, field) >= 0)
                return;
        if (label == google_protobuf_FieldDescriptorProto_LABEL_REPEATED)
                fputs("repeated ", p->out);
        else if (p->syntax == PROTO2 &&
                 label == google_protobuf_FieldDescriptorProto_LABEL_REQUIRED)
                fputs("required ", p->out);
        else if (p->syntax == PROTO2 || google_protobuf_FieldDescriptorProto_proto3_optional(field))
                fputs("optional ", p->out);
}

static void print_type(struct printer *p, const struct scope *scope, const field_proto *field)
{
        const message_proto *entry;
        const field_proto *const *parts;
        size_t n;

        if (!scope_is_map(scope, field)) {
                print_label(p, scope, field);
                fputs(is_group(field) ? "group" : type_name(p, scope->name, field), p->out);
                return;
        }
        entry = scope->messages[scope_made_by(scope, field)];
        parts = google_protobuf_DescriptorProto_field(entry, &n);
        if (n == 2)
                fprintf(p->out, "map<%s, %s>", type_name(p, scope->name, parts[0]),
                        type_name(p, scope->name, parts[1]));
}

/* ---- what is in brackets ---- */

static void print_default(struct printer *p, struct options_list *list, const field_proto *field)
{
        upb_StringView value = google_protobuf_FieldDescriptorProto_default_value(field);

        if (!google_protobuf_FieldDescriptorProto_has_default_value(field))
                return;
        options_list_next(p, list);
        fputs("default = ", p->out);
        switch (google_protobuf_FieldDescriptorProto_type(field)) {
        case kUpb_FieldType_String:
                literal_print(p->out, value);
                break;
        case kUpb_FieldType_Bytes:
                literal_print_escaped(p->out, value);
                break;
        default:
                fprintf(p->out, VIEW_FORMAT, VIEW_ARGS(value)); /* a word, or upb had refused it */
        }
}

/* The name in JSON that protoc makes of a field's name. */
static const char *usual_json_name(struct printer *p, upb_StringView name)
{
        char *json = printer_memory(p, name.size, 1), *end = json;
        bool upper = false;

        for (size_t i = 0; i < name.size; i++) {
                char c = name.data[i];

                if (c != '_')
                        *end++ = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
                upper = c == '_';
        }
        return json;
}

static void print_json_name(struct printer *p, struct options_list *list, const field_proto *field)
{
        upb_StringView json = google_protobuf_FieldDescriptorProto_json_name(field);
        const char *usual = usual_json_name(p, google_protobuf_FieldDescriptorProto_name(field));

        if (!google_protobuf_FieldDescriptorProto_has_json_name(field) ||
                google_protobuf_FieldDescriptorProto_has_extendee(field) ||
                upb_StringView_IsEqual(json, upb_StringView_FromString(usual)))
                return;
        options_list_next(p, list);
        fputs("json_name = ", p->out);
        literal_print(p->out, json);
}

static void print_brackets(struct printer *p, const struct scope *scope, const field_proto *field)
{
        struct options_list list = { 0 };
        const google_protobuf_FieldOptions *options =
                google_protobuf_FieldDescriptorProto_options(field);

        print_default(p, &list, field);
        print_json_name(p, &list, field);
        options_list_add(p, &list, &options_of_field, scope->name,
                options_bytes(p, options, &google__protobuf__FieldOptions_msg_init));
        options_list_end(p, &list);
}

/* ---- fields ---- */

bool parts_wants_field(struct printer *p, const struct scope *scope, const field_proto *field)
{
        upb_StringView name = google_protobuf_FieldDescriptorProto_name(field);
        int made = scope_made_by(scope, field);

        return printer_wants(p, printer_join(p, scope->name, name)) ||
               (made >= 0 && printer_wants(p, printer_join(p, scope->name,
                                                      google_protobuf_DescriptorProto_name(
                                                              scope->messages[made]))));
}

static void print_group(struct printer *p, const struct scope *scope, const field_proto *field)
{
        int made = scope_made_by(scope, field);
        const message_proto *message = made >= 0 ? scope->messages[made] : NULL;
        upb_StringView name = message ? google_protobuf_DescriptorProto_name(message)
                                      : upb_StringView_FromString("?");

        printer_begin(p, true, false);
        print_type(p, scope, field);
        fprintf(p->out, " " VIEW_FORMAT " = %d", VIEW_ARGS(name),
                google_protobuf_FieldDescriptorProto_number(field));
        print_brackets(p, scope, field);
        printer_open(p, false);
        if (message) {
                int32_t *place = &p->path[p->n_path - 2], number = place[0], index = place[1];

                printer_pop(p);
                printer_push(p, scope->at_messages, (size_t)made);
                parts_print_message_body(p, message, printer_join(p, scope->name, name));
                place[0] = number;
                place[1] = index;
        }
        printer_close(p);
}

void parts_print_field(struct printer *p, const struct scope *scope, const field_proto *field)
{
        const char *only = p->only;
        upb_StringView name = google_protobuf_FieldDescriptorProto_name(field);

        if (!parts_wants_field(p, scope, field))
                return;
        p->only = NULL;
        if (is_group(field)) {
                print_group(p, scope, field);
        } else {
                printer_begin(p, false, false);
                print_type(p, scope, field);
                fprintf(p->out, " " VIEW_FORMAT " = %d", VIEW_ARGS(name),
                        google_protobuf_FieldDescriptorProto_number(field));
                print_brackets(p, scope, field);
                fputc(';', p->out);
                printer_end(p, false);
        }
        p->only = only;
}
